package logging

import (
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendObject appends a record as a JSON object, the format json: times as RFC 3339 says, durations in seconds. What
// is not known is left out. Bytes that are not UTF-8 become U+FFFD.
func (f *formatter) appendObject(dst []byte, r *Record) []byte {
	end := r.Start.Add(r.elapsed())
	if r.Start.IsZero() {
		end = time.Now()
	}
	dst = append(dst, `{"time":"`...)
	dst = end.In(f.zone).AppendFormat(dst, jsonTime)
	dst = append(dst, `","pid":`...)
	pid := r.PID
	if pid == 0 {
		pid = f.pid
	}
	dst = strconv.AppendInt(dst, int64(pid), 10)
	dst = appendMember(dst, `,"request_id":`, r.RequestID)
	dst = appendMember(dst, `,"remote_addr":`, r.RemoteAddr)
	if user := f.user(r); len(user) > 0 {
		dst = appendMember(dst, `,"user":`, user)
	}
	dst = appendMember(dst, `,"method":`, r.Method)
	dst = appendMember(dst, `,"target":`, r.Target)
	dst = appendMember(dst, `,"path":`, r.Path)
	dst = appendMember(dst, `,"query":`, r.Query)
	dst = appendMember(dst, `,"protocol":`, r.Protocol)
	if r.Status > 0 {
		dst = strconv.AppendInt(append(dst, `,"status":`...), int64(r.Status), 10)
	}
	dst = append(dst, `,"outcome":"`...)
	dst = append(append(dst, r.Outcome.String()...), '"')
	dst = appendCount(dst, `,"bytes_in":`, r.BytesIn)
	dst = appendCount(dst, `,"bytes_out":`, r.BodyBytes)
	dst = appendSpan(append(dst, `,"duration":`...), r.elapsed())
	if r.FirstByte >= 0 {
		dst = appendSpan(append(dst, `,"first_byte":`...), r.FirstByte)
	}
	if r.Queued >= 0 {
		dst = appendSpan(append(dst, `,"queued":`...), r.Queued)
	}
	for _, h := range [...]struct{ key, name string }{{`,"referer":`, "referer"}, {`,"user_agent":`, "user-agent"}} {
		if r.RequestHeader != nil {
			value, _ := r.RequestHeader(h.name)
			dst = appendMember(dst, h.key, value)
		}
	}
	return append(appendVariables(dst, r), '}', '\n')
}

// appendVariables appends what the application noted as an object, unless that is nothing.
func appendVariables(dst []byte, r *Record) []byte {
	if r.EachVariable == nil {
		return dst
	}
	var names []string
	r.EachVariable(func(name, _ []byte) {
		if !slices.Contains(names, string(name)) {
			names = append(names, string(name))
		}
	})
	for i, wanted := range names {
		var last []byte
		r.EachVariable(func(name, value []byte) {
			if string(name) == wanted {
				last = value
			}
		})
		dst = append(dst, [...]string{`,"vars":{`, ","}[min(i, 1)]...)
		dst = appendQuoted(append(appendQuoted(dst, []byte(wanted)), ':'), last)
	}
	if len(names) > 0 {
		dst = append(dst, '}')
	}
	return dst
}

func appendCount(dst []byte, key string, n int64) []byte {
	if n < 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, key...), n, 10)
}

// appendMember appends a member whose value is a string, unless that is empty.
func appendMember(dst []byte, key string, value []byte) []byte {
	if len(value) == 0 {
		return dst
	}
	return appendQuoted(append(dst, key...), value)
}

// appendQuoted appends a JSON string (RFC 8259 7).
func appendQuoted(dst, value []byte) []byte {
	dst = append(dst, '"')
	for len(value) > 0 {
		c := value[0]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ' || c == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, size := utf8.DecodeRune(value)
			dst = utf8.AppendRune(dst, r)
			value = value[size:]
			continue
		}
		value = value[1:]
	}
	return append(dst, '"')
}
