package uwsgi

import (
	"bytes"
	"math"

	"github.com/pyhost/pyhost/protocol/http1"
)

// maxMethod is the longest method, as in package http1.
const maxMethod = 20

// describe fills Request from Vars. Of variables that come twice the last one counts, as in uWSGI: nginx sends both
// when uwsgi_params has one and the administrator adds it. Only CONTENT_LENGTH must not contradict itself.
func (p *Packet) describe() error {
	r := &p.Request
	*r = http1.Request{Headers: r.Headers[:0]}
	p.reserve()
	for _, v := range p.Vars {
		switch string(v.Name) {
		case "REQUEST_METHOD":
			r.Method = v.Value
		case "REQUEST_URI":
			r.Target = v.Value
		case "QUERY_STRING":
			r.Query = v.Value
		case "CONTENT_LENGTH":
			if err := p.length(v.Value); err != nil {
				return err
			}
		case "HTTP_HOST":
			r.Host = v.Value
		}
		if name, ok := bytes.CutPrefix(v.Name, []byte("HTTP_")); ok {
			if !validValue(v.Value) {
				return refuse(400, "control character in %s", v.Name)
			}
			r.Headers = append(r.Headers, http1.Header{Name: p.header(name), Value: v.Value})
		}
	}
	switch {
	case !validMethod(r.Method):
		return refuse(400, "REQUEST_METHOD is missing or no method")
	case !validValue(r.Target), !validValue(r.Query):
		return refuse(400, "control character in REQUEST_URI or QUERY_STRING")
	}
	r.Path, _, _ = bytes.Cut(r.Target, []byte{'?'})
	return nil
}

// reserve makes room for all names: what is appended afterwards never moves.
func (p *Packet) reserve() {
	size := 0
	for _, v := range p.Vars {
		size += len(v.Name)
	}
	if cap(p.names) < size {
		p.names = make([]byte, 0, max(2*size, 1024))
	}
	p.names = p.names[:0]
}

// header is the header that becomes the variable HTTP_ + name: in lower case, with "-" for "_".
func (p *Packet) header(name []byte) []byte {
	start := len(p.names)
	for _, c := range name {
		switch {
		case c == '_':
			c = '-'
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		}
		p.names = append(p.names, c)
	}
	return p.names[start:len(p.names):len(p.names)]
}

// length reads CONTENT_LENGTH; nginx sends it empty when there is no body.
func (p *Packet) length(value []byte) error {
	length := int64(0)
	for _, c := range value {
		if c < '0' || c > '9' {
			return refuse(400, "CONTENT_LENGTH is not a decimal number")
		}
		digit := int64(c - '0')
		if length > (math.MaxInt64-digit)/10 {
			return refuse(413, "CONTENT_LENGTH is larger than any body can be")
		}
		length = length*10 + digit
	}
	if p.Request.ContentLength > 0 && p.Request.ContentLength != length {
		return refuse(400, "two different CONTENT_LENGTH")
	}
	p.Request.ContentLength = length
	return nil
}

func validMethod(method []byte) bool {
	for _, c := range method {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '$' && c != '.' {
			return false
		}
	}
	return len(method) > 0 && len(method) <= maxMethod
}

// validValue: RFC 9110 5.5; the proxy has checked it, and what it passes on must not be less.
func validValue(value []byte) bool {
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
