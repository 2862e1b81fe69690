package arbiter

import (
	"time"

	"github.com/pyhost/pyhost/workers/scoreboard"
)

// How the number of workers follows the load, between min_workers and max_workers. Growing answers a queue, shrinking
// answers idleness, and the two are far apart: a worker stops only where the rest would be half busy at most, so that
// its end does not make the queue that starts it again.
const (
	// scalePeriod is how often the master looks at the scoreboard and at the listening sockets.
	scalePeriod = 100 * time.Millisecond
	// longWait is the time that a request waits for a thread which is worth another worker.
	longWait = 100 * time.Millisecond
	// growAfter is how many looks in a row must find such a wait: one slow moment starts no process.
	growAfter = 3
	// shrinkAfter is how many looks are judged before a worker is stopped: 30 seconds.
	shrinkAfter = 300
)

// scaling is what the last looks at the serving generation have shown.
type scaling struct {
	generation *generation
	lookAt     time.Duration
	pressed    int // looks in a row that found requests waiting
	looks      int // since the number of workers changed, or requests had to wait
	busy       int // sum of the busy threads over these looks
}

// mayScale reports whether the number of workers may change by delta.
func (g *generation) mayScale(delta int) bool {
	n := g.size() + delta
	return n >= g.config.MinWorkers && n <= g.config.MaxWorkers
}

// resume gives a new generation as many workers as the load has made necessary before.
func (g *generation) resume(count int) {
	if !g.config.Scales() {
		return
	}
	count = min(max(count, g.config.MinWorkers), g.config.MaxWorkers)
	g.seats = nil
	for range count {
		g.addSeat()
	}
}

// checkScaling looks at the load and changes the number of workers by one at most. It waits while workers boot: what
// they will change is not known yet.
func (a *arbiter) checkScaling() {
	g := a.current
	if g == nil || a.next != nil || a.fading != nil || !a.proven || !g.config.Scales() || len(g.seats) == 0 {
		return
	}
	s := &a.scaling
	if s.generation != g {
		*s = scaling{generation: g}
	}
	if s.lookAt != 0 && !a.due(s.lookAt) {
		return
	}
	s.lookAt = a.after(scalePeriod)
	if !g.ready() {
		s.settleAt(0)
		return
	}
	threads, busy := a.crew(g)
	if a.requestsWait(g, busy >= threads) {
		s.settleAt(s.pressed + 1)
	} else {
		s.pressed = 0
		s.looks++
		s.busy += busy
	}
	before := len(g.seats)
	switch {
	case s.pressed >= growAfter && g.mayScale(+1):
		s.settleAt(0)
		g.addSeat()
		a.log.Info("Scaling up to %d workers: requests wait for a thread.", len(g.seats))
		a.reconcile(g)
	case s.looks >= shrinkAfter:
		if s.spare(threads, len(g.seats)) && g.mayScale(-1) {
			a.dropSeat(g)
			a.log.Info("Scaling down to %d workers: fewer are enough.", len(g.seats))
		}
		s.settleAt(0)
	}
	if len(g.seats) != before {
		a.workersChanged(g, &before)
	}
}

// settleAt begins to count the idle looks anew, after a number of looks that found requests waiting.
func (s *scaling) settleAt(pressed int) { s.pressed, s.looks, s.busy = pressed, 0, 0 }

// spare reports whether one worker less would have been busy for half of the time at most.
func (s *scaling) spare(threads, workers int) bool {
	left := threads - threads/workers
	return 2*s.busy <= left*s.looks
}

// crew is how many threads the workers of g have, and how many of them run the application.
func (a *arbiter) crew(g *generation) (threads, busy int) {
	for _, s := range g.seats {
		slot := a.board.Slot(s.worker.slot)
		threads += slot.Threads()
		busy += slot.Busy()
	}
	return threads, busy
}

// requestsWait reports whether requests have waited for longWait behind busy threads. Those in the backlog of a
// listening socket have no clock: they count if nobody is free to take them, and the next looks find the same.
func (a *arbiter) requestsWait(g *generation, crowded bool) bool {
	for _, s := range g.seats {
		slot := a.board.Slot(s.worker.slot)
		if n, oldest := slot.Waiting(); n > 0 && int64(a.env.now())-oldest >= int64(longWait) &&
			slot.State() == scoreboard.Ready {
			return true
		}
	}
	return crowded && a.env.backlogged(g.sockets.all())
}
