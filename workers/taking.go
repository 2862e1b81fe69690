package workers

import (
	"time"

	"golang.org/x/sys/unix"
)

const (
	// lossPatience is how long a client may be silent that has bytes to acknowledge: they may have been lost, and the
	// kernel repeats them after 0.2 s and a round trip at the earliest (RFC 6298).
	lossPatience = 2 * time.Second
	// takingTime bounds what a connection gets beyond its idle time.
	takingTime = 5 * time.Second
)

// takesResponse tells whether the client of an idle connection is still taking its last response, or was a moment ago:
// only then does the time begin in which it may send the next request. A response has left this process when the kernel
// has it, on a slow or long way well before. A client that has gone acknowledges nothing.
func (w *worker) takesResponse(c *conn, now int64) bool {
	limit, _ := w.idleLimit(c)
	if !c.answered.Load() || time.Duration(now-c.since.Load()) > limit+takingTime {
		return false
	}
	info := c.transmission()
	if info == nil {
		return false
	}
	if info.Unacked > 0 || info.Notsent_bytes > 0 {
		limit = max(limit, lossPatience)
	}
	return time.Duration(info.Last_ack_recv)*time.Millisecond < limit
}

// transmission is what the kernel knows of the client's TCP connection; nil if there is none.
func (c *conn) transmission() (info *unix.TCPInfo) {
	look := func(fd int) { info, _ = unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO) }
	switch {
	case c.isTCP():
		look(c.fd)
	case c.tunnel != nil:
		control(c.tunnel.client, look)
	}
	return info
}
