package workers

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/socket"
)

// firstRequestDraining is how long a new connection may stay silent while the worker drains: a request that is on its
// way is still answered.
const firstRequestDraining = time.Second

// lull is how long a kept connection must have been silent before a worker that drains closes it. A client that is in
// the middle of a series of requests has the next one on its way, and learns from its answer that the connection ends
// (Connection: close); to close it under the request would reset it.
const lull = 250 * time.Millisecond

// park makes the connection idle, in the poller. It reports false when the caller still has it and must read again.
func (w *worker) park(c *conn) bool {
	if !c.registered {
		// The connection is busy while it is added: an edge that is there already makes release fail, or comes as an
		// event afterwards. Nothing is lost either way.
		if err := w.poller.addConn(c); err != nil {
			w.closeFor(c, err)
			return true
		}
	}
	return c.release(scoreboard.Now())
}

// close ends a connection that the caller owns.
func (w *worker) close(c *conn) {
	c.state.Store(connClose)
	w.table.forget(c)
	w.python.DropConn(c.python)
	if w.python.Forked() {
		// A child of the application may hold a copy of the descriptor: closing ours would neither end the connection
		// nor take it out of the poller.
		if c.registered {
			_ = w.poller.remove(c.fd)
		}
		unix.Shutdown(c.fd, unix.SHUT_RDWR)
	}
	socket.Close(c.fd)
	if c.tunnel != nil {
		c.tunnel.leave()
		return
	}
	if c.movable() { // what cannot change its process is known to a goroutine of its own
		w.table.recycle(c)
	}
	w.gone()
}

// gone counts a connection out and tells those who wait for that.
func (w *worker) gone() {
	w.table.gone()
	switch {
	case w.draining.Load():
		if w.finished() {
			w.poller.wake(w.threads)
		}
	case w.paused.Load():
		w.resumeAccepting()
	}
}

// reap closes connections that have been idle for too long, until stop is closed.
func (w *worker) reap(stop <-chan struct{}) {
	period := time.Second
	if w.keepAlive > 0 && w.keepAlive < 4*time.Second {
		period = max(w.keepAlive/4, 100*time.Millisecond)
	}
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			w.closeIdle(scoreboard.Now())
			if w.full.Load() {
				w.resumeAccepting() // one may be idle for long enough to give way
			}
		}
	}
}

func (w *worker) closeIdle(now int64) {
	w.table.each(func(c *conn) {
		if c.state.Load() == connIdle && w.overdue(c, now) {
			w.closeIfOverdue(c, now)
		}
	})
}

func (w *worker) overdue(c *conn, now int64) bool {
	limit, bounded := w.idleLimit(c)
	return bounded && time.Duration(now-c.since.Load()) > limit
}

// idleLimit is how long c may stay idle, if there is a bound.
func (w *worker) idleLimit(c *conn) (limit time.Duration, bounded bool) {
	draining := w.draining.Load()
	switch {
	case draining && c.answered.Load():
		return min(lull, w.keepAlive), true
	case draining:
		return firstRequestDraining, true
	case c.answered.Load():
		return w.keepAlive, true
	}
	return w.timeouts.head, w.timeouts.head > 0
}

func (w *worker) closeIfOverdue(c *conn, now int64) {
	w.closeIf(c, func() bool { return w.overdue(c, now) && !w.takesResponse(c, now) })
}

// closeIf closes an idle connection for which due still holds, unless a request is arriving on it at this moment. It
// reports whether it did.
func (w *worker) closeIf(c *conn, due func() bool) bool {
	if !c.state.CompareAndSwap(connIdle, connBusy) {
		return false
	}
	var one [1]byte
	_, errno := socket.Peek(c.fd, one[:])
	switch {
	case errno != unix.EAGAIN: // bytes or the end of input are there, and their edge may have come while it was ours
	case !due(): // it served a request after the caller had looked at it
		if c.state.CompareAndSwap(connBusy, connIdle) {
			return false
		}
	case c.state.CompareAndSwap(connBusy, connClose):
		w.close(c)
		return true
	}
	c.hold(message{})
	w.ready.push(c)
	return false
}
