package http1

import "bufio"

// ChunkedDecoder decodes a chunked body (RFC 9112 7.1) that arrives in pieces. The zero value is ready to use; assign
// ChunkedDecoder{} to use it again. Not safe for concurrent use.
type ChunkedDecoder struct{ done bool }

// Decode appends the body bytes found in src to dst and returns how many bytes of src it used. All of src is used unless
// the body ends in it (done) or the error is a *Refusal.
func (d *ChunkedDecoder) Decode(dst, src []byte) (out []byte, n int, done bool, err error) {
	return dst, 0, d.done, nil
}

// DecodeChunked decodes a chunked body that lies whole at the beginning of src, appends it to dst and returns the number
// of bytes of src that the body took. The error is ErrIncomplete (nothing appended, n = 0) or a *Refusal.
func DecodeChunked(dst, src []byte) (out []byte, n int, err error) {
	return dst, 0, ErrIncomplete
}

// ChunkedReader reads the body of a chunked message from a bufio.Reader and leaves the reader just behind it.
type ChunkedReader struct {
	br      *bufio.Reader
	decoder ChunkedDecoder
}

// NewChunkedReader returns a reader of the chunked body that starts at br's next byte.
func NewChunkedReader(br *bufio.Reader) *ChunkedReader { return &ChunkedReader{br: br} }

// Read implements io.Reader. io.EOF comes after the final CRLF only; a body that is cut short is io.ErrUnexpectedEOF, and
// a syntax error is a *Refusal. Both are permanent.
func (c *ChunkedReader) Read(p []byte) (int, error) { return 0, ErrIncomplete }
