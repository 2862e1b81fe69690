package http1

import (
	"bufio"
	"io"
)

// ChunkedReader reads the body of a chunked message from a bufio.Reader and, when it has returned io.EOF, leaves
// that reader just behind the body. Not safe for concurrent use.
type ChunkedReader struct {
	source  *bufio.Reader
	decoder ChunkedDecoder
}

// NewChunkedReader returns a reader of the chunked body that starts at source's next byte. A body of more than limit
// bytes is refused; 0 = no limit.
func NewChunkedReader(source *bufio.Reader, limit int64) *ChunkedReader {
	return &ChunkedReader{source: source, decoder: ChunkedDecoder{Limit: limit}}
}

// Read implements io.Reader. io.EOF comes after the final CRLF only. A body that is cut short is
// io.ErrUnexpectedEOF and a syntax error is a *Refusal; the connection cannot be used for another message then.
// Other errors are source's.
//
// It blocks only while it has nothing to return.
func (c *ChunkedReader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if c.decoder.state == chunkDone {
			return n, eofUnless(n)
		}
		if c.source.Buffered() == 0 {
			if n > 0 {
				return n, nil
			}
			if _, err := c.source.Peek(1); err == io.EOF {
				return 0, io.ErrUnexpectedEOF
			} else if err != nil {
				return 0, err
			}
		}
		buffered, _ := c.source.Peek(c.source.Buffered()) // cannot fail: the bytes are there
		data, used, err := c.decoder.next(buffered, len(p)-n)
		n += copy(p[n:], data)
		c.source.Discard(used) //nolint:errcheck // as above
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// eofUnless returns io.EOF when nothing was read.
func eofUnless(n int) error {
	if n > 0 {
		return nil
	}
	return io.EOF
}
