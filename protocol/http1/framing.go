package http1

import (
	"bytes"
	"math"
)

var (
	errNoHost       = refusal(400, "HTTP/1.1 without Host")
	errLength       = refusal(400, "Content-Length is not a decimal number")
	errLengthLarge  = refusal(413, "Content-Length is larger than any body can be")
	errCodingOld    = refusal(400, "Transfer-Encoding in HTTP/1.0")
	errCodingLength = refusal(400, "both Transfer-Encoding and Content-Length")
	errCoding       = refusal(400, "Transfer-Encoding is not chunked, once and last")
	errCodingOther  = refusal(501, "transfer coding other than chunked")
	errExpect       = refusal(417, "Expect is not 100-continue")
)

// framing collects, while the fields go by, what decides where the message ends and what becomes of the connection.
type framing struct {
	host                            []byte
	known                           []byte // a copy of the last host that was valid: most requests are for one host
	length                          int64  // -1 = no Content-Length
	hostSeen, typeSeen, authSeen    bool
	coding                          coding
	connectionClose, connectionKeep bool
	expectContinue                  bool
}

// note looks at one field. Fields that one recipient could read once and another twice are refused when they
// repeat.
func (f *framing) note(h Header, minor int) error {
	// Fields of interest have seven lengths; most others are told apart here.
	switch len(h.Name) {
	case len("host"):
		if equalFold(h.Name, "host") {
			return f.noteHost(h.Value)
		}
	case len("expect"):
		if equalFold(h.Name, "expect") && minor > 0 { // an expectation in HTTP/1.0 is ignored, RFC 9110 10.1.1
			return f.noteExpect(h.Value)
		}
	case len("connection"):
		if equalFold(h.Name, "connection") {
			f.noteConnection(h.Value)
		}
	case len("content-type"):
		if equalFold(h.Name, "content-type") {
			return once(&f.typeSeen, errTypeTwice)
		}
	case len("authorization"):
		if equalFold(h.Name, "authorization") {
			return once(&f.authSeen, errAuthTwice)
		}
	case len("content-length"):
		if equalFold(h.Name, "content-length") {
			return f.noteLength(h.Value)
		}
	case len("transfer-encoding"):
		if equalFold(h.Name, "transfer-encoding") {
			f.coding.note(h.Value)
		}
	}
	return nil
}

func once(seen *bool, twice error) error {
	if *seen {
		return twice
	}
	*seen = true
	return nil
}

// noteHost: RFC 9112 3.2, "more than one Host header field line or a Host header field with an invalid field
// value".
func (f *framing) noteHost(value []byte) error {
	if len(value) == 0 || !bytes.Equal(value, f.known) {
		if !validHost(value) {
			return errHost
		}
		f.known = append(f.known[:0], value...)
	}
	f.host = value
	return once(&f.hostSeen, errHostTwice)
}

// noteLength: RFC 9110 8.6. Repeated equal values and lists of them are refused too, though the RFC would allow
// them.
func (f *framing) noteLength(value []byte) error {
	if f.length >= 0 {
		return errLengthTwice
	}
	if len(value) == 0 {
		return errLength
	}
	length := int64(0)
	large := false
	for _, c := range value {
		if c < '0' || c > '9' {
			return errLength
		}
		digit := int64(c - '0')
		large = large || length > (math.MaxInt64-digit)/10
		length = length*10 + digit
	}
	if large {
		return errLengthLarge
	}
	f.length = length
	return nil
}

// noteConnection: the options of all Connection lines count, in any case (RFC 9110 7.6.1).
func (f *framing) noteConnection(list []byte) {
	for more := true; more; {
		var option []byte
		option, list, more = member(list)
		f.connectionClose = f.connectionClose || equalFold(option, "close")
		f.connectionKeep = f.connectionKeep || equalFold(option, "keep-alive")
	}
}

// noteExpect: RFC 9110 10.1.1. Case-insensitive; what is not understood is answered with 417.
func (f *framing) noteExpect(list []byte) error {
	for more := true; more; {
		var expectation []byte
		expectation, list, more = member(list)
		if equalFold(expectation, "100-continue") {
			f.expectContinue = true
		} else if len(expectation) > 0 {
			return errExpect
		}
	}
	return nil
}

// member cuts the first member, which may be empty, off a comma-separated list (RFC 9110 5.6.1).
func member(list []byte) (first, rest []byte, more bool) {
	first, rest, more = bytes.Cut(list, []byte{','})
	return trimSpace(first), rest, more
}

// apply decides the message's framing when all fields are known (RFC 9112 6.3 and 9.3).
func (f *framing) apply(req *Request) error {
	if req.Minor > 0 && !f.hostSeen {
		return errNoHost // RFC 9112 3.2
	}
	if req.Host == nil {
		req.Host = f.host
	}
	if err := f.coding.check(req.Minor, f.length >= 0); err != nil {
		return err
	}
	req.Chunked = f.coding.chunked > 0
	req.ContentLength = f.length
	req.KeepAlive = !f.connectionClose && (req.Minor > 0 || f.connectionKeep)
	req.Expect100 = f.expectContinue && (req.Chunked || f.length > 0)
	return nil
}
