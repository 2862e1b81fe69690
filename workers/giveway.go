package workers

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/workers/scoreboard"
)

// For how long an idle connection does not give way: a client that has just had a response may be sending its next
// request, and that of a new connection is probably on its way.
const (
	nextRequestGrace  = 250 * time.Millisecond
	firstRequestGrace = time.Second
)

// makeRoom makes room for the connection that waits on a listener, or on the handover's queue. If there is none, or no
// room can be made, it reports false; then the worker accepts no more for now.
func (w *worker) makeRoom(listener int) bool {
	waiting, err := unix.Poll([]unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}, 0)
	switch {
	case err != nil || waiting == 0:
		return false
	case w.table.count.Load() < w.maxConns || w.giveWay():
		return true
	}
	w.full.Store(true)
	w.pauseAccepting()
	if w.table.count.Load() < w.maxConns { // one closed meanwhile and saw the listeners still in place
		w.resumeAccepting()
	}
	return false
}

// giveWay closes the connection that has been idle for longest, for a new one beyond worker_connections. It reports
// whether there is room now; a tunnel takes a moment to end.
func (w *worker) giveWay() bool {
	const attempts = 4 // a request may arrive on each at this moment
	for range attempts {
		c := w.oldestIdle(scoreboard.Now())
		if c == nil {
			return false
		}
		// Its memory may be a younger connection's by now.
		generation := c.generation.Load()
		if w.closeIf(c, func() bool { return c.generation.Load() == generation }) {
			return w.table.count.Load() < w.maxConns
		}
	}
	return false
}

// oldestIdle is the connection that gives way first; nil if none can. Those that had a response go before those that
// never said anything.
func (w *worker) oldestIdle(now int64) (oldest *conn) {
	w.table.each(func(c *conn) {
		if c.state.Load() != connIdle {
			return
		}
		answered, since, grace := c.answered.Load(), c.since.Load(), nextRequestGrace
		if !answered {
			grace = firstRequestGrace
		}
		if time.Duration(now-since) < grace {
			return
		}
		if oldest == nil || answered && !oldest.answered.Load() ||
			answered == oldest.answered.Load() && since < oldest.since.Load() {
			oldest = c
		}
	})
	return oldest
}
