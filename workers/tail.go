package workers

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/workers/static"
)

// tailBlock is how much of a file goes to the client between two looks at its patience, in bytes.
const tailBlock = 256 << 10

// drain sends the rest of a finished response at the client's pace. rest is what the client sent behind the request;
// more says that it may send more although the connection ends.
func (l *lane) drain(c *conn, tail embedpy.Tail, reuse bool, rest []byte, more bool) {
	rest = cloned(rest)
	started := l.start(c, func(f *os.File) {
		err := l.sendTail(f, tail, l.patience(c))
		l.w.python.Free(tail)
		f.Close()
		switch {
		case err != nil:
			if l.giveUp(c, err) {
				c.reset()
			}
			l.w.close(c)
		case !reuse && more:
			l.finish(c, nil)
		case !reuse:
			l.end(c)
		default:
			l.giveBack(c, rest)
		}
	})
	if !started {
		l.w.python.Free(tail)
	}
}

// giveUp logs why a response ends before its end, and reports whether that is none of the client's doing.
func (l *lane) giveUp(c *conn, err error) (ours bool) {
	if ours = static.IsBroken(err); ours {
		l.w.log.Error("Cutting the response to ip=%s: %s", c.peer(), oneLine(err))
	} else {
		l.w.log.Debug("Client ip=%s did not take its response: %v", c.peer(), err)
	}
	return ours
}

// patience is how long the client of c may take nothing. Behind a tunnel it is the tunnel that sees what the client
// takes: none here.
func (l *lane) patience(c *conn) time.Duration {
	if c.tunnel != nil {
		return 0
	}
	return l.w.timeouts.write
}

func (l *lane) sendTail(f *os.File, tail embedpy.Tail, patience time.Duration) error {
	if err := writePatiently(f, tail.Bytes(), patience); err != nil || tail.File.To == 0 {
		return err
	}
	return sendSpan(f, &tail.File, patience)
}

// sendSpan sends a part of a file for as long as the client takes some of it each time within patience; what is sent is
// no longer in span.
func sendSpan(f *os.File, span *embedpy.Span, patience time.Duration) error {
	for span.From < span.To {
		before := unsent(f)
		f.SetWriteDeadline(after(patience))
		n, err := sendSome(f, *span)
		span.From += int64(n)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && unsent(f) < before:
		case err != nil:
			return err
		}
	}
	return nil
}

// sendSome sends some of a part of a file with sendfile(2), or by hand where its file system does not know how.
func sendSome(f *os.File, span embedpy.Span) (n int, err error) {
	offset, count := span.From, min(span.To-span.From, tailBlock)
	if span.Ring > 0 {
		offset %= span.Ring
		count = min(count, span.Ring-offset)
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	failure := error(nil)
	err = raw.Write(func(fd uintptr) bool {
		at := offset
		n, failure = unix.Sendfile(int(fd), span.FD, &at, int(count))
		return !errors.Is(failure, unix.EAGAIN)
	})
	switch {
	case err != nil:
		return 0, err
	case errors.Is(failure, unix.EINTR):
		return 0, nil
	case errors.Is(failure, unix.EINVAL), errors.Is(failure, unix.ENOSYS):
		return copySpan(f, span.FD, offset, count)
	case failure != nil:
		return 0, os.NewSyscallError("sendfile", failure)
	case n == 0:
		return 0, static.ErrShort
	}
	return n, nil
}

func copySpan(f *os.File, fd int, offset, count int64) (int, error) {
	block := make([]byte, count)
	n, err := unix.Pread(fd, block, offset)
	switch {
	case err != nil:
		return 0, os.NewSyscallError("pread", err)
	case n == 0:
		return 0, static.ErrShort
	}
	return f.Write(block[:n])
}
