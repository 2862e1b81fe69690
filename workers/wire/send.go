package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// MaxLine bounds one message, its newline included, in bytes: a peer that never ends its line cannot fill the memory.
const MaxLine = 1 << 20

// Send writes v as one JSON line. The descriptors go with its first bytes and stay the caller's: close them when Send
// has returned. It blocks while the peer's buffer is full, until conn's write deadline. One goroutine may send at a
// time.
func Send(conn *net.UnixConn, v any, fds ...int) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a message: %w", err)
	}
	line = append(line, '\n')
	if len(line) > MaxLine {
		return fmt.Errorf("encoding a message: %d bytes, more than %d", len(line), MaxLine)
	}
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	n, _, err := conn.WriteMsgUnix(line, rights, nil)
	if err == nil && n < len(line) {
		// A stream socket may take a part; the descriptors have gone with it.
		_, err = conn.Write(line[n:])
	}
	if err != nil {
		return fmt.Errorf("sending a message: %w", err)
	}
	return nil
}

// SendProgram writes the first bytes of a forkserver's control socket: the length of the Python source as u32 little
// endian, then the source.
func SendProgram(conn *net.UnixConn, source []byte) error {
	head := binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(source)), uint32(len(source)))
	if _, err := conn.Write(append(head, source...)); err != nil {
		return fmt.Errorf("sending the forkserver's program: %w", err)
	}
	return nil
}
