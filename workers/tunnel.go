package workers

import (
	"crypto/tls"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// tunnelBlock is how much of a response goes into TLS at once, in bytes; a record holds 16 KiB. smallBlock is what an
// idle connection keeps for each direction until it needs more.
const (
	tunnelBlock = 32 << 10
	smallBlock  = 4 << 10
)

// grown is block, or a larger one when n bytes have filled it.
func grown(block []byte, n int) []byte {
	if n < len(block) || n == tunnelBlock {
		return block
	}
	return make([]byte, tunnelBlock)
}

// tunnel carries the bytes of a TLS connection to and from a socket pair, whose other end is the descriptor of an
// ordinary connection: to parser, lanes, drain and the C layer there is no TLS. Two goroutines pump; a slow side makes
// the other wait, with no more in between than the socket pair's buffer.
//
// The connection counts once, from accept until both the worker and the tunnel have done with it.
type tunnel struct {
	w      *worker
	client *os.File // duplicate of the client's socket
	tls    *tls.Conn
	inner  *os.File // the pair's other end
	users  atomic.Int32
	reset  atomic.Bool // the response was cut: the client must not see an orderly end
}

// tunnel moves c, whose handshake on f is done, to one end of a tunnel. The tunnel owns f unless there is an error.
func (w *worker) tunnel(c *conn, f *os.File, conn *tls.Conn) error {
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	if !w.table.move(c, ours) {
		unix.Close(ours)
		theirs.Close()
		return unix.EMFILE
	}
	t := &tunnel{w: w, client: f, tls: conn, inner: theirs}
	t.users.Store(2)
	c.tunnel = t
	go t.run()
	w.lane.giveBack(c, nil)
	return nil
}

// leave is called by the worker when c is closed, and by the tunnel at its end; the last one counts c out.
func (t *tunnel) leave() {
	if t.users.Add(-1) == 0 {
		t.w.gone()
	}
}

func (t *tunnel) run() {
	var upward sync.WaitGroup
	upward.Go(t.receive)
	t.send()
	upward.Wait()
	if t.reset.Load() {
		control(t.client, resetAtClose)
	} else { // a process that the application forked may hold a copy of the descriptor
		shutdown(t.client, unix.SHUT_RDWR)
	}
	shutdown(t.inner, unix.SHUT_RDWR)
	t.client.Close()
	t.inner.Close()
	t.leave()
}

// receive pumps from the client to the worker.
func (t *tunnel) receive() {
	block := make([]byte, smallBlock)
	for {
		n, err := t.tls.Read(block)
		if n > 0 {
			if _, err := t.inner.Write(block[:n]); err != nil {
				t.linger()
				return
			}
		}
		switch {
		case err == nil:
			block = grown(block, n)
		case t.ended(err):
			shutdown(t.inner, unix.SHUT_WR)
			return
		default: // the client is gone: what is still written for it must fail
			shutdown(t.inner, unix.SHUT_RDWR)
			return
		}
	}
}

// ended says whether the client is done in an orderly way, by the setting suppress_ragged_eofs.
func (t *tunnel) ended(err error) bool {
	if t.w.raggedEOFs {
		return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	}
	return errors.Is(err, io.EOF) && !t.tls.NetConn().(*transport).ended
}

// linger reads what the client still sends to a worker that has closed, lest a reset takes the response away from it
// (RFC 9112 9.6).
func (t *tunnel) linger() {
	t.client.SetReadDeadline(time.Now().Add(lingerTime))
	io.Copy(io.Discard, io.LimitReader(t.tls, lingerBytes))
}

// send pumps from the worker to the client.
func (t *tunnel) send() {
	block := make([]byte, smallBlock)
	for {
		n, err := t.inner.Read(block)
		if n > 0 && !t.pass(block[:n]) {
			shutdown(t.inner, unix.SHUT_RDWR)
			shutdown(t.client, unix.SHUT_RDWR) // receive must not wait for it
			return
		}
		if err != nil {
			break
		}
		block = grown(block, n)
	}
	if t.reset.Load() {
		t.client.SetReadDeadline(past)
		return
	}
	t.client.SetWriteDeadline(after(t.w.timeouts.write))
	t.tls.CloseWrite() // close_notify: the client knows that it has all (RFC 8446 6.1)
	shutdown(t.client, unix.SHUT_WR)
	t.client.SetReadDeadline(time.Now().Add(lingerTime))
}

// pass writes a block to a client that takes it in time.
func (t *tunnel) pass(block []byte) bool {
	t.client.SetWriteDeadline(after(t.w.timeouts.write))
	_, err := t.tls.Write(block)
	return err == nil
}

func shutdown(f *os.File, how int) {
	control(f, func(fd int) { unix.Shutdown(fd, how) })
}

// resetAtClose makes close(2) send a reset instead of an orderly end.
func resetAtClose(fd int) {
	unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}

// control does something to f's descriptor without taking it out of Go's poller, as File.Fd would.
func control(f *os.File, do func(fd int)) {
	if raw, err := f.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { do(int(fd)) })
	}
}
