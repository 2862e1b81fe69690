package wire

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
)

// ErrLineTooLong is what Next returns for a message of more than MaxLine bytes. The Reader is of no use after it.
var ErrLineTooLong = errors.New("message longer than 1 MiB")

// Reader reads the messages that arrive on a connection. It belongs to one goroutine.
type Reader struct {
	buffer *bufio.Reader
	line   []byte
}

// NewReader reads from conn, which stays the caller's. It buffers: nobody else may read from conn any more.
func NewReader(conn *net.UnixConn) *Reader {
	return &Reader{buffer: bufio.NewReader(conn)}
}

// Next waits for the next message and stores it in v, which must be zero: JSON leaves absent fields as they are. It
// returns io.EOF when the peer has gone between two messages and io.ErrUnexpectedEOF when it has gone within one.
func (r *Reader) Next(v any) error {
	r.line = r.line[:0]
	for {
		part, err := r.buffer.ReadSlice('\n')
		r.line = append(r.line, part...)
		switch {
		case len(r.line) > MaxLine:
			return ErrLineTooLong
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(r.line) > 0:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
		if err := json.Unmarshal(r.line, v); err != nil {
			return fmt.Errorf("decoding a message: %w", err)
		}
		return nil
	}
}
