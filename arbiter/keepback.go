package arbiter

import (
	"time"

	"golang.org/x/sys/unix"
)

// The kernel keeps a new TCP connection back until it has sent something (TCP_DEFER_ACCEPT): a worker is woken once for
// the connection and its request. With a connection for each request that is a third of what a request costs.
const (
	// keptBack is for how long, in seconds: a connection that is silent for longer is accepted then.
	keptBack = 1
	// keptBackGrace is how long a server that is about to stop still waits for those that are kept back. Their requests
	// mostly follow the handshake at once; with the listening socket they are reset.
	keptBackGrace = 50 * time.Millisecond
)

// keepBack begins it. A kernel that does not know it does without.
func keepBack(listener int) {
	_ = unix.SetsockoptInt(listener, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, keptBack)
}

func (y *system) letThrough(sockets []int) (any bool) {
	for _, fd := range sockets {
		was, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT)
		if err == nil && was > 0 && unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 0) == nil {
			any = true
		}
	}
	return any
}
