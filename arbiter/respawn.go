package arbiter

import (
	"fmt"
	"time"

	"github.com/pyhost/pyhost/workers/wire"
)

// briefLife is the age below which even an ordinary exit counts as a failure, if the worker has served nothing.
const briefLife = time.Second

// vacancy is for how long connections wait for the next worker of a seat that has sockets of its own (reuse_port). The
// kernel goes on giving a socket its part of them, whether it has a worker or not.
const vacancy = time.Second

// settle ends the processes of which all is known. Forkservers come first: their end may tell about workers.
func (a *arbiter) settle() {
	for _, s := range a.servers {
		if s.reaped && (s.hungUp || a.due(s.settleAt)) {
			a.serverEnded(s)
		}
	}
	for _, w := range a.workers {
		if w.exited && (w.hungUp || a.due(w.settleAt)) {
			a.workerEnded(w)
		}
	}
}

// workerEnded forgets w and draws the consequences of its end.
func (a *arbiter) workerEnded(w *worker) {
	lived, served := a.env.now()-w.readyAt, a.board.Slot(w.slot).Requests() > 0
	s := w.seat
	a.reportTimeout(w, "")
	lost := a.lostRequests(w)
	a.release(w)
	a.logExit(w, lost)
	a.childExit(w)
	if s == nil {
		return
	}
	inOrder := w.ready && w.status == 0 && (served || lived >= briefLife)
	if inOrder || w.ready && lived >= stableAfter {
		s.brake.reset()
	}
	if inOrder && w.generation == a.current {
		// max_requests, or an operator's SIGTERM: reconcile fills the seat at once.
		return
	}
	s.served = 0
	if w.ready && served {
		s.served = lived
	}
	code := 0
	if !w.ready {
		code = w.bootCode()
	}
	a.seatLost(w.generation, s, code, w.cause())
}

// seatLost makes up for a worker of g that has ended unbidden, or never started. A code other than 0 is the exit code
// of a worker that could not load the application.
func (a *arbiter) seatLost(g *generation, s *seat, code int, cause string) {
	switch {
	case a.phase != serving:
		return
	case g == a.fading:
		return
	case g == a.next:
		a.abandonReload(cause)
		return
	case !a.proven && code != 0:
		if !a.awaitChange(g) {
			a.halt(bootFailure(code, ""))
		}
		return
	}
	if pause := a.hold(&s.brake, s.served); pause > 0 {
		a.log.Warning("A worker failed %d times in a row; the next one starts in %s.", s.brake.failures, pause)
		if pause > vacancy && s.worker == nil && g.serves() {
			g.sockets.forsake(s.index)
		}
	}
}

// release frees what the master holds of w: its socket, its slot, its seat.
func (a *arbiter) release(w *worker) {
	w.link.close()
	a.board.Clear(w.slot)
	a.slots[w.slot] = false
	a.workers = without(a.workers, w)
	w.leaveSeat()
}

// leaveSeat makes the seat free for another worker, or gives it to the one that was to have it.
func (w *worker) leaveSeat() {
	switch s := w.seat; {
	case s == nil:
	case s.heir == w:
		s.heir = nil
	default:
		s.worker, s.heir = s.heir, nil
	}
	w.seat = nil
}

// bootCode is wire.ExitBootError or wire.ExitAppLoad if that is how w ended, else 0.
func (w *worker) bootCode() int {
	code := 0
	if w.status.Exited() {
		code = w.status.ExitStatus()
	}
	if w.failure != nil {
		code = w.failure.Code
	}
	if code == wire.ExitBootError || code == wire.ExitAppLoad {
		return code
	}
	return 0
}

// cause says in one line how w ended.
func (w *worker) cause() string {
	if w.failure != nil {
		return "worker failed to boot: " + w.failure.Error
	}
	return fmt.Sprintf("worker (pid:%d) %s", w.pid, describe(w.status))
}
