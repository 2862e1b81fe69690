package logging

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"time"
)

// An atom appends one value of the record. The field is the place in the format where the value goes.
type atom func(dst []byte, f *formatter, r *Record, at *field) []byte

// atoms are the single-letter atoms of gunicorn's access_log_format.
var atoms = map[string]atom{
	"h": func(dst []byte, _ *formatter, r *Record, at *field) []byte { return at.known(dst, r.RemoteAddr) },
	"l": func(dst []byte, _ *formatter, _ *Record, _ *field) []byte { return append(dst, '-') },
	"u": appendUser,
	"t": appendTime,
	"r": appendRequest,
	"m": func(dst []byte, _ *formatter, r *Record, at *field) []byte { return at.known(dst, r.Method) },
	"U": func(dst []byte, _ *formatter, r *Record, at *field) []byte { return at.known(dst, r.Path) },
	"q": func(dst []byte, _ *formatter, r *Record, at *field) []byte { return at.client(dst, r.Query) },
	"H": func(dst []byte, _ *formatter, r *Record, at *field) []byte { return at.known(dst, r.Protocol) },
	"f": appendRequestHeader,
	"a": appendRequestHeader,
	"L": appendSeconds,
	"p": appendPID,
	// Below are atoms of pyhost's own; their names are longer than one letter, which gunicorn's never are.
	"first_byte": func(dst []byte, _ *formatter, r *Record, _ *field) []byte { return appendSpan(dst, r.FirstByte) },
	"queued":     func(dst []byte, _ *formatter, r *Record, _ *field) []byte { return appendSpan(dst, r.Queued) },
	"request_id": func(dst []byte, _ *formatter, r *Record, at *field) []byte { return at.known(dst, r.RequestID) },
	"outcome": func(dst []byte, _ *formatter, r *Record, _ *field) []byte {
		return append(dst, r.Outcome.String()...)
	},
}

// numbers are the atoms that take %d and its zero padding as well as %s.
var numbers = map[string]atom{
	"s": appendStatus,
	"B": func(dst []byte, _ *formatter, r *Record, _ *field) []byte {
		return strconv.AppendInt(dst, max(r.BodyBytes, 0), 10)
	},
	"b": appendBodyBytes,
	"bytes_in": func(dst []byte, _ *formatter, r *Record, _ *field) []byte {
		if r.BytesIn < 0 {
			return append(dst, '-')
		}
		return strconv.AppendInt(dst, r.BytesIn, 10)
	},
	"T": func(dst []byte, _ *formatter, r *Record, _ *field) []byte {
		return strconv.AppendInt(dst, int64(r.elapsed()/time.Second), 10)
	},
	"M": func(dst []byte, _ *formatter, r *Record, _ *field) []byte {
		return strconv.AppendInt(dst, r.elapsed().Milliseconds(), 10)
	},
	"D": func(dst []byte, _ *formatter, r *Record, _ *field) []byte {
		return strconv.AppendInt(dst, r.elapsed().Microseconds(), 10)
	},
}

// validAtoms is for messages.
const validAtoms = "h l u t r m U q H s b B f a T M D L p {header}i {header}o {variable}e {name}v first_byte queued " +
	"bytes_in request_id outcome"

// named are the atoms that look something up: %({name}i)s.
var named = map[byte]atom{'i': appendRequestHeader, 'o': appendResponseHeader, 'e': appendEnviron, 'v': appendVariable}

// headerAtoms are the atoms that stand for one request header.
var headerAtoms = map[string]string{"f": "referer", "a": "user-agent"}

// elapsed is the whole duration: gunicorn's wraps after a day.
func (r *Record) elapsed() time.Duration { return max(r.Duration, 0) }

// known appends a value that is a dash when it is empty.
func (at *field) known(dst, value []byte) []byte {
	if len(value) == 0 {
		return append(dst, '-')
	}
	return at.client(dst, value)
}

// client appends a value that a client had a hand in.
func (at *field) client(dst, value []byte) []byte { return appendEscaped(dst, value, at.bare) }

// lookup appends what find has under the field's name: a dash when it has nothing, nothing when the value is empty.
func (at *field) lookup(dst []byte, find func(string) ([]byte, bool)) []byte {
	if find == nil {
		return append(dst, '-')
	}
	value, found := find(at.name)
	if !found {
		return append(dst, '-')
	}
	return at.client(dst, value)
}

func appendRequestHeader(dst []byte, _ *formatter, r *Record, at *field) []byte {
	return at.lookup(dst, r.RequestHeader)
}

func appendEnviron(dst []byte, _ *formatter, r *Record, at *field) []byte {
	return at.lookup(dst, r.Environ)
}

func appendVariable(dst []byte, _ *formatter, r *Record, at *field) []byte {
	return at.lookup(dst, r.Variable)
}

// appendResponseHeader leaves spaces alone even outside of quotes: the application chose the value.
func appendResponseHeader(dst []byte, _ *formatter, r *Record, at *field) []byte {
	value, found := FindHeader(r.ResponseHead, at.name)
	if !found {
		return append(dst, '-')
	}
	return appendEscaped(dst, value, false)
}

// appendRequest appends METHOD RAW_URI PROTOCOL, or one dash when there was no request line.
func appendRequest(dst []byte, _ *formatter, r *Record, at *field) []byte {
	if len(r.Method)+len(r.Target)+len(r.Protocol) == 0 {
		return append(dst, '-')
	}
	dst = append(at.known(dst, r.Method), ' ')
	dst = append(at.known(dst, r.Target), ' ')
	return at.known(dst, r.Protocol)
}

func appendStatus(dst []byte, _ *formatter, r *Record, _ *field) []byte {
	if r.Status <= 0 {
		return append(dst, '-')
	}
	return strconv.AppendInt(dst, int64(r.Status), 10)
}

func appendBodyBytes(dst []byte, _ *formatter, r *Record, _ *field) []byte {
	if r.BodyBytes < 0 {
		return append(dst, '-')
	}
	return strconv.AppendInt(dst, r.BodyBytes, 10)
}

// appendTime appends the time of the end of the request, which is when gunicorn logs it. Formatting takes longer than
// the rest of a line, so the text of a second is kept.
func appendTime(dst []byte, f *formatter, r *Record, _ *field) []byte {
	end := r.Start.Add(r.elapsed())
	if r.Start.IsZero() {
		end = time.Now()
	}
	if second := end.Unix(); second != f.second || len(f.secondText) == 0 {
		f.second = second
		f.secondText = end.In(f.zone).AppendFormat(f.secondText[:0], "[02/Jan/2006:15:04:05 -0700]")
	}
	return append(dst, f.secondText...)
}

// appendSeconds appends the duration of the request in seconds.
func appendSeconds(dst []byte, _ *formatter, r *Record, _ *field) []byte {
	return appendSpan(dst, r.elapsed())
}

// appendSpan appends seconds with six decimals, a dash for what is not known.
func appendSpan(dst []byte, d time.Duration) []byte {
	if d < 0 {
		return append(dst, '-')
	}
	microseconds := d.Microseconds()
	dst = strconv.AppendInt(dst, microseconds/1e6, 10)
	// A million more than the fraction: its digits behind the first are the fraction with leading zeros.
	at := len(dst)
	dst = strconv.AppendInt(dst, 1e6+microseconds%1e6, 10)
	dst[at] = '.'
	return dst
}

func appendPID(dst []byte, f *formatter, r *Record, _ *field) []byte {
	pid := r.PID
	if pid == 0 {
		pid = f.pid
	}
	return append(strconv.AppendInt(append(dst, '<'), int64(pid), 10), '>')
}

// appendUser appends the user of HTTP Basic authentication, never the password.
func appendUser(dst []byte, f *formatter, r *Record, at *field) []byte {
	return at.known(dst, f.user(r))
}

// user is the user of HTTP Basic authentication (RFC 7617, 2), nil if there is none. It is good until the next call.
func (f *formatter) user(r *Record) []byte {
	if r.RequestHeader == nil {
		return nil
	}
	value, _ := r.RequestHeader("authorization")
	const scheme = "basic "
	if len(value) < len(scheme) || !equalFold(value[:len(scheme)], scheme) {
		return nil
	}
	credentials, err := base64.StdEncoding.AppendDecode(f.scratch[:0], bytes.TrimSpace(value[len(scheme):]))
	f.scratch = credentials
	if err != nil {
		return nil
	}
	user, _, _ := bytes.Cut(credentials, []byte{':'})
	return user
}
