package arbiter

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// handover is the queue through which the workers of a generation pass connections that wait behind one of them to
// whoever is free: the two ends of a pair of packet sockets. The master only keeps it open, so that nothing in it is
// lost while workers come and go.
type handover struct{ receive, send int }

func newHandover() (*handover, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("making the workers' queue: %w", err)
	}
	return &handover{receive: fds[0], send: fds[1]}, nil
}

// close closes the master's descriptors. Workers have their own.
func (h *handover) close() {
	if h != nil {
		_ = unix.Close(h.receive)
		_ = unix.Close(h.send)
	}
}

// openHandover makes the queue of g with its first worker.
func (a *arbiter) openHandover(g *generation) (err error) {
	if g.handover == nil {
		g.handover, err = a.env.handover()
	}
	return err
}
