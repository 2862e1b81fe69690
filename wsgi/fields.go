package wsgi

import (
	"hash/maphash"

	"github.com/pyhost/pyhost/protocol/http1"
)

var (
	errScriptTwice = &http1.Refusal{Status: 400, Rule: "more than one SCRIPT_NAME"}
	errUnderscore  = &http1.Refusal{Status: 400, Rule: "header name with _ (header_map is refuse)"}
)

// fields decides which header lines become which variables: HTTP_ and the name in upper case with "-" as "_" (RFC
// 3875 4.1.18). Lines with the same name become one variable.
type fields struct {
	lines []fieldLine // one for each header line
	names []byte      // the custom keys, one after the other
	plain []byte      // scratch: a name with "-" for "_"
	first []int32     // for each of Keys: 1 + the first line that becomes it
	index customIndex // the same for custom keys
	mode  HeaderMap
}

// fieldLine says what becomes of one header line.
type fieldLine struct {
	key        uint32 // the variable; for a custom one CustomKey | length
	start      int32  // where a custom key lies in names
	next, last int32  // the next line with the same name, and, in the first one, the last; 0 = none
	skip       bool   // not the first of its name, or dropped
	forwarder  bool   // sent by a trusted peer under a name with "_"
}

func newFields(mode HeaderMap) fields {
	return fields{mode: mode, first: make([]int32, len(Keys)), index: customIndex{seed: maphash.MakeSeed()}}
}

// sort fills lines from headers. It returns the value of a SCRIPT_NAME header if the peer may send one.
func (f *fields) sort(headers []http1.Header, trusted bool, allowed *forwarders) (script []byte, err error) {
	if cap(f.lines) < len(headers) {
		f.lines = make([]fieldLine, len(headers)+len(headers)/2)
	}
	f.lines, f.names = f.lines[:len(headers)], f.names[:0]
	clear(f.first)
	f.index.reset(len(headers))
	for i := range headers {
		name, line := headers[i].Name, &f.lines[i]
		*line = fieldLine{}
		key, known := lookup(name)
		if !known {
			key, known = f.custom(line, name, trusted, allowed)
			if line.forwarder && string(name) == "SCRIPT_NAME" {
				if script != nil {
					return nil, errScriptTwice
				}
				script = headers[i].Value
			}
		}
		switch {
		case line.skip && f.mode == HeaderRefuse && !line.forwarder:
			return nil, errUnderscore
		case line.skip, key == keyHTTPHost: // the encoder writes Host
			line.skip = true
		case known:
			line.key = key
			f.link(&f.first[key], int32(i))
		default:
			f.link(f.index.find(f, line), int32(i))
		}
	}
	return script, nil
}

// custom gives line the custom key of name, a name that is not known, unless the line is dropped.
//
// A name with "_" is dropped (unless gunicorn's header_map says otherwise), because X_Auth would become the same
// variable as X-Auth, which a proxy in front may set or remove. A trusted peer may send those that forwarder_headers
// lists.
// They may turn out to be known names, but never describe the body or the host: those are what the parser saw.
func (f *fields) custom(line *fieldLine, name []byte, trusted bool, allowed *forwarders) (key uint32, known bool) {
	line.start = int32(len(f.names))
	line.key = CustomKey | uint32(len("HTTP_")+len(name))
	f.names = append(f.names, "HTTP_"...)
	underscore := false
	for _, c := range name {
		underscore = underscore || c == '_'
		f.names = append(f.names, upper[c])
	}
	if !underscore {
		return line.key, false
	}
	line.forwarder = trusted && allowed.allows(f.name(line))
	f.plain = append(f.plain[:0], name...)
	for i, c := range f.plain {
		if c == '_' {
			f.plain[i] = '-'
		}
	}
	key, known = lookup(f.plain)
	mapped := line.forwarder || f.mode == HeaderDangerous
	line.skip = !mapped || key == keyContentType || key == keyContentLength
	return key, known
}

// name returns the custom key of line.
func (f *fields) name(line *fieldLine) []byte {
	return f.names[line.start : line.start+int32(line.key&^CustomKey)]
}

// link makes line i the first of its name, which *first then says, or appends it to the lines of that name. A line
// that a forwarder sent replaces those of the client: a client cannot add "Remote-User" to a proxy's "REMOTE_USER".
func (f *fields) link(first *int32, i int32) {
	line := &f.lines[i]
	if *first == 0 {
		*first = i + 1
		return
	}
	head := &f.lines[*first-1]
	if line.forwarder && !head.forwarder {
		head.skip = true
		*first = i + 1
		return
	}
	line.skip = true
	if head.forwarder && !line.forwarder {
		return
	}
	if head.last == 0 {
		head.next = i
	} else {
		f.lines[head.last].next = i
	}
	head.last = i
}

// write appends the variables to frame.
func (f *fields) write(frame *Frame, headers []http1.Header) {
	for i := range f.lines {
		line := &f.lines[i]
		if line.skip {
			continue
		}
		size := len(headers[i].Value)
		separator := ","
		if line.next != 0 {
			if line.key == keyHTTPCookie {
				separator = "; " // RFC 6265 5.4, RFC 9113 8.2.3; a comma may be part of a cookie
			}
			for n := line.next; n != 0; n = f.lines[n].next {
				size += len(separator) + len(headers[n].Value)
			}
		}
		frame.begin(line.key, size)
		if line.key&CustomKey != 0 {
			frame.Buf = append(frame.Buf, f.name(line)...)
		}
		frame.Buf = append(frame.Buf, headers[i].Value...)
		for n := line.next; n != 0; n = f.lines[n].next {
			frame.Buf = append(frame.Buf, separator...)
			frame.Buf = append(frame.Buf, headers[n].Value...)
		}
	}
}

// upper maps the characters of a header name to those of its key.
var upper = func() (table [256]byte) {
	for c := range table {
		table[c] = byte(c)
	}
	for c := 'a'; c <= 'z'; c++ {
		table[c] = byte(c - 'a' + 'A')
	}
	table['-'] = '_'
	return table
}()
