package workers

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/logging"
	"github.com/pyhost/pyhost/protocol/http1"
	"github.com/pyhost/pyhost/workers/socket"
)

const (
	// lingerTime is how long a closing connection is read from (RFC 9112 9.6), and lingerBytes how much: many clients read
	// the answer to an upload only when they have sent all of it.
	lingerTime  = 2 * time.Second
	lingerBytes = 64 << 20
)

// lane is the goroutine lane: it does what would make a Python thread wait for a client. It completes requests that did
// not arrive in one piece and puts them on the ready queue, sends what a slow reader left of a response, and closes
// connections on which more input may come.
//
// A connection in the lane is out of the poller. The lane works on a duplicate of its descriptor, which Go's own poller
// watches, so that an ordinary blocking style with deadlines does.
type lane struct {
	w       *worker
	parsers sync.Pool // of *http1.Parser; one goroutine uses one at a time
	heads   heads
	sending sending
}

func newLane(w *worker) lane {
	return lane{w: w, heads: newHeads(w.timeouts.head), sending: newSending()}
}

// enter takes the connection out of the poller and returns a file on a duplicate of its descriptor.
func (l *lane) enter(c *conn) (*os.File, error) {
	if c.registered {
		c.registered = false
		if err := l.w.poller.remove(c.fd); err != nil {
			return nil, os.NewSyscallError("epoll_ctl", err)
		}
	}
	fd, err := unix.FcntlInt(uintptr(c.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	f := os.NewFile(uintptr(fd), "client")
	if err := f.SetDeadline(time.Time{}); err != nil { // it is not watched: what is read of it would be the end at once
		f.Close()
		return nil, fmt.Errorf("Go's poller does not take it (out of memory?): %w", err)
	}
	return f, nil
}

// start runs work in a goroutine of its own. It reports false when the connection cannot enter the lane: it is closed
// then, and what work would have given back is the caller's.
func (l *lane) start(c *conn, work func(f *os.File)) bool {
	f, err := l.enter(c)
	if err != nil {
		l.w.closeFor(c, err)
		return false
	}
	go func() {
		work(f)
	}()
	return true
}

// receive completes the request that begins with data, which the poller's thread found incomplete.
func (l *lane) receive(c *conn, data []byte) {
	raw := append(make([]byte, 0, max(2*len(data), 4096)), data...)
	l.start(c, func(f *os.File) {
		complete := l.complete
		if c.packets {
			complete = l.completePacket
		}
		m, err := complete(f, raw)
		f.Close()
		switch {
		case err == nil:
			c.message = m
			l.w.ready.push(c)
		default:
			l.incomplete(c, err, raw)
		}
	})
}

// incomplete ends a connection whose request never became one; head is what came first.
func (l *lane) incomplete(c *conn, err error, head []byte) {
	head = c.line(head)
	var refusal *http1.Refusal
	if errors.As(err, &refusal) {
		l.finish(c, l.w.refused(c, head, refusal.Status, refusal.Rule))
		return
	}
	var spool *spoolError
	if errors.As(err, &spool) {
		l.w.log.Error("Cannot keep the request body of ip=%s: %v", c.peer(), err)
		page := errorPage(head, 507, "") // RFC 4918 11.5
		l.w.logRefused(c, head, logging.Refused, 507, page)
		l.finish(c, page)
		return
	}
	var cut *cutError
	if errors.As(err, &cut) {
		l.w.log.Info("Client ip=%s left in the middle of its request: %s", c.peer(), cut.what)
		l.w.logRefused(c, head, logging.ClientGone, 0, nil)
	}
	l.w.close(c)
}

// finish sends a last response, tells the client that no more comes, and reads what it still sends for a moment:
// closing at once would reset the connection and could take the response away from it (RFC 9112 9.6).
func (l *lane) finish(c *conn, response []byte) {
	n, errno := socket.Send(c.fd, response)
	if errno != 0 && errno != unix.EAGAIN {
		l.w.close(c) // the client is gone
		return
	}
	rest := response[max(n, 0):]
	l.start(c, func(f *os.File) {
		if writePatiently(f, rest, l.w.timeouts.write) == nil {
			unix.Shutdown(c.fd, unix.SHUT_WR)
			f.SetReadDeadline(time.Now().Add(lingerTime))
			io.Copy(io.Discard, io.LimitReader(f, lingerBytes))
		}
		f.Close()
		l.w.close(c)
	})
}

// end closes a connection after its last response; one on which unread bytes lie must not be reset. Behind a uwsgi
// packet, which is the only one of its connection, nothing comes.
func (l *lane) end(c *conn) {
	var one [1]byte
	if !c.packets {
		if n, errno := socket.Peek(c.fd, one[:]); errno == 0 && n > 0 {
			l.finish(c, nil)
			return
		}
	}
	l.w.close(c)
}

// giveBack returns a connection to the Python threads: to the poller, or at once if it has sent more already.
func (l *lane) giveBack(c *conn, rest []byte) {
	var one [1]byte
	_, errno := socket.Peek(c.fd, one[:])
	if len(rest) == 0 && errno == unix.EAGAIN && l.w.park(c) {
		return
	}
	c.hold(message{raw: rest})
	l.w.ready.push(c)
}
