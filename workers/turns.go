package workers

import (
	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/workers/scoreboard"
)

// The threads of a worker run Python one at a time. One that took a request first and then waited for the GIL would let
// the request wait for up to CPython's switch interval (5 ms), while the thread that has the GIL serves many that came
// later. So a thread has the GIL before it takes a request, takes those that have come first, and keeps the GIL for the
// next one. Others that have woken up stand by for it: when the application waits for something, without the GIL, the
// next of them goes on at once.
const (
	// turnTime is how long (ns) a thread serves one request after the other while others stand by. It is less than the
	// switch interval, at which CPython would take the GIL away in the middle of a request.
	turnTime = 2_500_000
	// shortTurn is the same while a request of another thread is under way: it may have come back from a wait.
	shortTurn = 500_000
)

// runInTurn is run for a thread that shares the GIL with others.
func (t *thread) runInTurn() {
	for !t.w.finished() {
		if !t.holding {
			t.standBy()
		}
		event, ok := t.next()
		if !ok {
			t.batch.fill(t.wait())
			continue
		}
		t.leaveRest()
		t.serve(event)
		t.giveTurn()
	}
	t.letGo()
}

// standBy waits for the GIL. What the thread has brought along is for whoever has it: see next.
func (t *thread) standBy() {
	t.beat()
	t.stands.Store(t.now)
	t.w.standing.Add(1)
	t.w.slot.Add(1) // for the siblings, a worker that waits for its GIL has no thread to spare
	t.rouseShepherd()
	t.w.python.AcquireGIL(t.index)
	t.w.slot.Add(-1)
	t.w.standing.Add(-1)
	t.stands.Store(0)
	t.holding = true
	t.began = scoreboard.Now()
}

// engaged tells since when (ns) the thread runs a request, or waits for the GIL behind one, which is as good as busy.
func (t *thread) engaged() (since int64, ok bool) {
	if g, busy := t.look(); busy {
		return g.start, true
	}
	since = t.stands.Load()
	return since, since > 0
}

// next takes the event that has waited for longest. The thread has the GIL.
func (t *thread) next() (unix.EpollEvent, bool) {
	if event, ok := t.batch.next(); ok {
		return event, true
	}
	if t.w.slot.Busy() > 0 {
		for i := range t.w.runners {
			if other := t.w.runners[i].Load(); other != nil && other != t {
				if event, ok := other.batch.next(); ok {
					return event, true
				}
			}
		}
	}
	// Several at once need somebody who stands by. Where nobody does, the kernel wakes one for the second.
	room := 1
	if t.w.standing.Load() > 0 {
		room = len(t.events)
	}
	t.batch.fill(t.pollNow(t.events[:room]))
	if t.w.access != nil {
		t.arrived = scoreboard.Now()
	}
	return t.batch.next()
}

// leaveRest sees to it that somebody can go on with the rest, should the thread's next request wait for something.
func (t *thread) leaveRest() {
	if t.w.standing.Load() == 0 && t.w.leftOver(t) {
		t.w.poller.wake(1)
	}
}

// leftOver reports whether events that somebody has taken from the poller wait.
func (w *worker) leftOver(t *thread) bool {
	if t.batch.left() {
		return true
	}
	if w.slot.Busy() == 0 {
		return false
	}
	for i := range w.runners {
		if other := w.runners[i].Load(); other != nil && other.batch.left() {
			return true
		}
	}
	return false
}

// giveTurn lets go of the GIL when the thread's turn is over: it is the last then among those that stand by.
func (t *thread) giveTurn() {
	busy, standing := t.w.slot.Busy(), int(t.w.standing.Load())
	if busy == 0 {
		return
	}
	turn := int64(turnTime)
	if busy > standing {
		turn = shortTurn
	}
	if t.now-t.began > turn {
		t.letGo()
	}
}

// letGo releases the GIL if the thread kept it.
func (t *thread) letGo() {
	t.holding = false
	t.w.python.ReleaseGIL(t.index)
}
