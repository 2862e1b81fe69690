package static

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/workers/socket"
)

// promptly is how many bytes of a file are sent at once, if the socket takes them: whoever sends has others to serve.
const promptly = 1 << 20

// pageSize is the least that the kernel has of a file in memory, in bytes.
const pageSize = 4096

// ErrShort says that a file became shorter while it was sent.
var ErrShort = errors.New("the file became shorter")

// IsBroken tells whether what ended a response lies with the file or the machine, not with the client.
func IsBroken(err error) bool {
	if errors.Is(err, ErrShort) {
		return true
	}
	for _, errno := range []unix.Errno{unix.EIO, unix.ESTALE, unix.ENOMEM, unix.EUCLEAN, unix.EBADMSG} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// Client is whom a response is for.
type Client struct {
	// FD is its socket, which must not block (O_NONBLOCK).
	FD int
	// Write, if it is set, sends at the client's pace, and the response is complete when it ends. Otherwise what the
	// socket does not take at once is left: see Response.Rest.
	Write func([]byte) error
}

// Rest is what the client has not taken at once.
type Rest struct {
	// Bytes come first.
	Bytes []byte
	// File is to be closed by whoever sends it from From to To; nil = none.
	File     *os.File
	From, To int64
}

// IsEmpty tells whether nothing is left.
func (r *Rest) IsEmpty() bool { return len(r.Bytes) == 0 && r.File == nil }

// Abandon gives up the rest: nobody sends it.
func (r *Response) Abandon() {
	if r.Rest.File != nil {
		r.Rest.File.Close()
		r.Bytes -= r.Rest.To - r.Rest.From
	}
	r.Rest = Rest{}
}

// content is a file that is read, or sent, from where it stands; to go there takes no system call.
type content struct {
	*file
	at int64
}

// Read is io.Reader's.
func (c *content) Read(p []byte) (int, error) {
	n, err := c.ReadAt(p, c.at)
	c.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// Seek is io.Seeker's.
func (c *content) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += c.at
	case io.SeekEnd:
		offset += c.info.Size()
	}
	c.at = offset
	return offset, nil
}

// flush sends what has been written; `more` is MSG_MORE if something follows at once.
func (r *Response) flush(more int) {
	n, errno := socket.SendMore(r.client.FD, r.Rest.Bytes, more)
	switch errno {
	case 0:
		r.Rest.Bytes = r.Rest.Bytes[n:]
	case unix.EAGAIN:
	default:
		r.err = os.NewSyscallError("send", errno)
	}
}

// isCold tells whether bytes at c, of the next count, are not in memory: reading them would take a disk's time, or a
// network's. The first and the last are asked for: what somebody has read a part of is often there to that part's end.
func (c *content) isCold(count int64) bool {
	return c.lacks(c.at) || count > pageSize && c.lacks(c.at+count-1)
}

func (c *content) lacks(at int64) bool {
	var one [1]byte
	_, err := unix.Preadv2(int(c.Fd()), [][]byte{one[:]}, at, unix.RWF_NOWAIT)
	return errors.Is(err, unix.EAGAIN) // where the file system does not know, it is hoped for
}

// sendfile sends the next count bytes of a file, with sendfile(2), or leaves them.
func (r *Response) sendfile(c *content, count int64) {
	from, to := c.at, c.at+count
	bound := min(to, from+promptly)
	if from == to {
		return
	}
	if c.isCold(bound - from) {
		bound = from
	} else {
		r.flush(unix.MSG_MORE)
	}
	for from < bound && r.err == nil && len(r.Rest.Bytes) == 0 {
		n, err := unix.Sendfile(r.client.FD, int(c.Fd()), &from, int(bound-from))
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EPIPE), errors.Is(err, unix.ECONNRESET):
			r.err = os.NewSyscallError("sendfile", err)
		case err != nil: // the socket is full; or the file cannot be sent so: who sends the rest finds out
			bound = from
		case n == 0:
			r.err = ErrShort
		}
	}
	c.at = from
	r.Bytes += count
	if r.err != nil {
		r.Bytes -= to - from
	} else if from < to {
		r.Rest.File, r.Rest.From, r.Rest.To = c.File, from, to
	}
}
