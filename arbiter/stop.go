package arbiter

import (
	"time"

	"github.com/pyhost/pyhost/workers/scoreboard"
	"golang.org/x/sys/unix"
)

// hurryGrace is what is left to the workers when a second signal hastens a stop.
const hurryGrace = 2 * time.Second

// shutdown is how the master ends.
type shutdown struct {
	reason   string        // logged as the last line; empty after a signal
	said     bool          // that it ends
	at       time.Duration // when drain_delay is over; 0 = there was none
	earliest time.Duration // when it may be ended by a second signal
}

// stop begins the end: no new connections, and the workers leave. Graceful lets running requests finish within
// graceful_timeout.
func (a *arbiter) stop(graceful bool) {
	wasBinding := a.phase < serving
	a.phase = stopping
	if a.shutdown.at == 0 {
		a.tellStopping()
	}
	if wasBinding {
		a.binder.sockets.close()
	}
	for _, g := range []*generation{a.current, a.next, a.fading} {
		if g != nil {
			g.sockets.close()
		}
		a.retire(g, graceful)
	}
	if g := a.next; g != nil && g.pidfile != a.current.pidfile {
		g.pidfile.remove()
	}
	if !graceful {
		// Those of older generations are stopping already, but not as fast.
		for _, w := range a.workers {
			a.stopWorker(w, false)
		}
	}
}

// halt stops because the first generation cannot serve.
func (a *arbiter) halt(reason string, exitCode int) {
	a.exitCode, a.shutdown.reason = exitCode, reason
	a.stop(true)
}

// hurry makes a stop that is under way a quick one.
func (a *arbiter) hurry() {
	a.log.Info("Quick shutdown requested")
	for _, w := range a.workers {
		a.stopWorker(w, false)
		w.killBy(a.after(hurryGrace))
		if w.exited {
			w.settleAt = min(w.settleAt, a.after(hurryGrace))
		}
	}
	for _, s := range a.servers {
		if s.killAt != 0 { // it runs on_exit
			s.killAt = min(s.killAt, a.after(hurryGrace))
		}
	}
}

// stopWorker tells w to leave and takes its seat. SIGKILL follows after graceful_timeout, as in gunicorn for a quick
// stop too. A worker that is stopping can only be told to be quick.
func (a *arbiter) stopWorker(w *worker, graceful bool) {
	// What still boots has nothing to finish. The scoreboard knows of its first request before the ready event is here.
	serves := w.ready || a.board.Slot(w.slot).State() >= scoreboard.Ready
	graceful = graceful && serves
	if w.exited || w.stopping && (graceful || !w.graceful) {
		return
	}
	w.stopping, w.graceful = true, graceful
	w.leaveSeat()
	w.link.stop(graceful)
	if w.pid != 0 {
		a.env.kill(w.pid, stopSignal(graceful, serves))
	}
	w.killBy(a.after(seconds(w.generation.config.GracefulTimeout)))
}

// stopSignal is what gunicorn sends to a worker for each kind of stop. One that does not serve may not listen to
// signals yet, and SIGQUIT would make Go dump its stacks: SIGTERM ends it quietly, and if it listens the message says
// how quick.
func stopSignal(graceful, serves bool) unix.Signal {
	if graceful || !serves {
		return unix.SIGTERM
	}
	return unix.SIGQUIT
}

// checkEnd ends the master when nothing is left to wait for.
func (a *arbiter) checkEnd() {
	if a.phase != stopping || len(a.workers) > 0 {
		return
	}
	if !a.shutdown.said {
		if a.hooksRun() {
			return // child_exit
		}
		a.shutdown.said = true
		a.log.Info("Shutting down: Master")
		if a.shutdown.reason != "" {
			a.log.Error("Reason: %s", a.shutdown.reason)
		}
		a.exitHooks()
	}
	if len(a.servers) > 0 {
		return
	}
	a.leavePidfile()
	if a.attend() {
		return
	}
	a.bequeath()
	a.phase = ended
}
