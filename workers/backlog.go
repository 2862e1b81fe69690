package workers

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/workers/scoreboard"
)

// acceptLast ends accepting for good. What has come is still served: its wake-up may have been given to this worker,
// and then no sibling would be told of it. A worker that never accepted, because it is still booting, leaves all to
// them. One whose threads are all busy leaves it to the others for a while: it would wait behind its requests.
func (w *worker) acceptLast() {
	was := w.endAccepting()
	queued := w.handover != nil && (was || w.paused.Load())
	if queued {
		w.handover.seal()
	}
	if was && w.crowded() && !w.ownSockets && w.others(scoreboard.Ready, scoreboard.Draining) {
		w.backlogLeft = true
		w.table.count.Add(1) // the worker does not end before it has come back to this
		return
	}
	if queued {
		w.acceptQueued((*handover).receiveOne)
	}
	if was {
		w.acceptRest(w.acceptOne)
	}
}

// acceptQueued takes what is in the queue of the generation, whatever worker_connections says: this worker may be the
// last of it.
func (w *worker) acceptQueued(receive func(*handover) *conn) {
	for c := receive(w.handover); c != nil; c = receive(w.handover) {
		w.ready.push(c)
	}
}

// acceptRest takes what waits in the backlogs.
func (w *worker) acceptRest(accept func(listener int) *conn) {
	for _, l := range w.listeners {
		for c := accept(l.fd); c != nil; c = accept(l.fd) {
			if !c.guarded || w.admit(c) {
				c.hold(message{})
				w.ready.push(c)
			}
		}
	}
}

// settleBacklog comes back to what was left to others: when a thread is free all that is still there is this worker's,
// and when nobody else is there to take it. Those who stop together say so before they look for each other, so the last
// one finds nobody. Only drainIdle calls it.
func (w *worker) settleBacklog() {
	if !w.backlogLeft {
		return
	}
	crowded := w.crowded()
	if _, siblings := w.siblings(); w.handover != nil && (!crowded || siblings == 0) {
		w.acceptQueued((*handover).receiveReserved)
	}
	switch {
	case !crowded || !w.others(scoreboard.Ready):
		w.acceptRest(func(listener int) *conn {
			w.table.count.Add(1)
			return w.acceptReserved(listener)
		})
	case w.abandoned.Load() == 0:
		return // else its threads hang, and it ends without them
	}
	w.backlogLeft = false
	w.closeListeners()
	w.gone()
}

func (w *worker) closeListeners() {
	for _, l := range w.listeners {
		unix.Close(l.fd)
	}
}

// others reports whether another worker, of any generation, is in one of the states.
func (w *worker) others(states ...scoreboard.State) bool {
	for slot := range w.neighbours() {
		if slices.Contains(states, slot.State()) {
			return true
		}
	}
	return false
}

// crowded reports whether no thread is free.
func (w *worker) crowded() bool {
	for i := range w.runners {
		t := w.runners[i].Load()
		if t == nil {
			return false
		}
		if _, engaged := t.engaged(); !engaged {
			return false
		}
	}
	return true
}
