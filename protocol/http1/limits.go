package http1

import "math"

// Limits bounds a request. The zero value means "the largest that is ever accepted".
type Limits struct {
	// RequestLine is gunicorn's limit_request_line: bytes of the request line without its CRLF; 0 = no limit of its
	// own.
	RequestLine int
	// Fields is gunicorn's limit_request_fields: the number of header lines; 0 or more than 32768 = 32768.
	Fields int
	// FieldSize is gunicorn's limit_request_field_size: bytes of one header line with its CRLF; 0 = no limit of its
	// own.
	FieldSize int
	// Body is limit_request_body: bytes of a body, decoded; 0 = no limit. Parse applies it to a Content-Length; for a
	// chunked body it goes to a ChunkedDecoder.
	Body int64
}

const (
	// maxHead bounds the whole head, whatever the limits say: without it "0 = unlimited" would let one client take
	// all memory.
	maxHead   = 1 << 20
	maxFields = 32768
)

// bodyLimit is limit, or for 0 the largest number.
func bodyLimit(limit int64) int64 {
	if limit <= 0 {
		return math.MaxInt64
	}
	return limit
}

// bounds are Limits in the form the scanner compares with: each counts a line's CRLF and is never zero.
type bounds struct {
	line, fields, field, head int
	body                      int64
}

func newBounds(l Limits) bounds {
	b := bounds{line: maxHead, fields: maxFields, field: maxHead, head: maxHead, body: bodyLimit(l.Body)}
	if l.RequestLine > 0 {
		b.line = min(l.RequestLine+2, maxHead)
	}
	if l.Fields > 0 {
		b.fields = min(l.Fields, maxFields)
	}
	if l.FieldSize > 0 {
		b.field = min(l.FieldSize, maxHead)
	}
	// gunicorn's bound on the header section, fields*(size+2)+4, and the request line with one empty line before
	// it.
	b.head = min(maxHead, b.fields*(b.field+2)+4+b.line+2)
	return b
}
