package arbiter

import (
	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
)

// event is something that happened outside the loop. apply runs on the loop's goroutine.
type event interface{ apply(a *arbiter) }

// serverSaid: a forkserver sent a message.
type serverSaid struct {
	launch  int
	message wire.Event
}

// serverHungUp: a forkserver's socket is at its end, or broken (err). Nothing more comes from it.
type serverHungUp struct {
	launch int
	err    error
}

// workerSaid: a worker sent a message.
type workerSaid struct {
	age     int
	message wire.Event
}

// workerHungUp: a worker's socket is at its end.
type workerHungUp struct{ age int }

// configRead: the configuration of a reload has been read, or could not be.
type configRead struct {
	config              *config.Config
	prepared            *Prepared
	library, executable string
	err                 error
}

func (e serverSaid) apply(a *arbiter) {
	s := a.serverByLaunch(e.launch)
	if s == nil {
		return
	}
	switch e.message.Event {
	case wire.EventReady:
		a.serverReady(s, e.message.Python)
	case wire.EventFailed:
		a.serverFailed(s, e.message)
	case wire.EventModules:
		a.watchModules(s.generation, e.message.Files)
	case wire.EventForked:
		if w := a.workerByAge(e.message.Age); w != nil {
			a.workerForked(w, e.message.PID)
		}
	case wire.EventForkFailed:
		if w := a.workerByAge(e.message.Age); w != nil {
			a.forkFailed(w, e.message.Error)
		}
	case wire.EventExited:
		if w := a.workerByPID(e.message.PID); w != nil {
			a.workerExited(w, exitStatus(e.message.Status))
		}
	case wire.EventHooked:
		a.hookDone(s, &e.message)
	case wire.EventLingers:
		s.killAt = a.after(leaveGrace + seconds(s.generation.config.GracefulTimeout))
	case wire.EventLog:
		a.logFor(e.message.Level, e.message.Error)
	case wire.EventConfigured:
		// A forkserver that replaces another one evaluates the file for its hooks; the settings are known.
	default:
		a.log.Warning("Forkserver (pid:%d) sent an unknown event: %q", s.pid, e.message.Event)
	}
}

func (e serverHungUp) apply(a *arbiter) {
	if s := a.serverByLaunch(e.launch); s != nil {
		a.serverHungUp(s, e.err)
	}
}

func (e workerSaid) apply(a *arbiter) {
	w := a.workerByAge(e.age)
	if w == nil {
		return
	}
	switch e.message.Event {
	case wire.EventReady:
		w.ready, w.readyAt = true, a.env.now()
		if a.leaving() {
			w.link.announce()
		}
		a.log.Debug("Worker of age %d is ready", w.age)
		if w.seat != nil && w.seat.heir == w {
			a.succeed(w.seat)
		}
	case wire.EventRetire:
		a.workerOutdated(w, e.message.Error)
	case wire.EventFailed:
		a.watchFailed(w.generation, e.message.Traceback)
		a.workerFailed(w, e.message)
	case wire.EventModules:
		a.watchModules(w.generation, e.message.Files)
	case wire.EventAborted:
		a.reportTimeout(w, e.message.Traceback)
	case wire.EventReload:
		a.log.Info("The application asks for a reload.")
		a.hangUp()
	default:
		a.log.Warning("Worker (pid:%d) sent an unknown event: %q", w.pid, e.message.Event)
	}
}

func (e workerHungUp) apply(a *arbiter) {
	if w := a.workerByAge(e.age); w != nil {
		w.hungUp = true
	}
}

func (e configRead) apply(a *arbiter) { a.configRead(e) }
