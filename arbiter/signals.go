package arbiter

import (
	"os"

	"golang.org/x/sys/unix"
)

// handledSignals are those of gunicorn's master, but for SIGCHLD, which has a channel of its own.
var handledSignals = []os.Signal{
	unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGTTIN, unix.SIGTTOU,
	unix.SIGWINCH,
}

var signalNames = map[os.Signal]string{
	unix.SIGTERM: "term", unix.SIGINT: "int", unix.SIGQUIT: "quit", unix.SIGHUP: "hup", unix.SIGUSR1: "usr1",
	unix.SIGUSR2: "usr2", unix.SIGTTIN: "ttin", unix.SIGTTOU: "ttou", unix.SIGWINCH: "winch",
}

// signal does what gunicorn documents for a signal to the master.
func (a *arbiter) signal(s os.Signal) {
	if a.phase == attending {
		a.env.kill(a.upgrade.successor.pid(), s.(unix.Signal))
		return
	}
	if s == unix.SIGWINCH {
		a.winch() // which says itself what it does: a terminal sends many of them
		return
	}
	a.log.Info("Handling signal: %s", signalNames[s])
	switch s {
	case unix.SIGTERM, unix.SIGINT, unix.SIGQUIT:
		a.forwardStop(s.(unix.Signal))
		switch {
		case a.phase == stopping && s == unix.SIGTERM:
			return // as in gunicorn: only INT and QUIT hasten; supervisors often send TERM twice
		case a.phase == stopping:
			a.hurry()
			return
		}
		if s != unix.SIGTERM || !a.delayStop() {
			a.stop(s == unix.SIGTERM)
		}
	case unix.SIGUSR1:
		a.reopenLogs()
	case unix.SIGUSR2:
		a.startUpgrade()
	case unix.SIGHUP:
		a.hangUp()
	case unix.SIGTTIN:
		a.scale(+1)
	case unix.SIGTTOU:
		a.scale(-1)
	}
}

// reopenLogs follows a rotation: the master's log first, then each worker its own.
func (a *arbiter) reopenLogs() {
	a.reopenLog()
	for _, w := range a.workers {
		if w.pid != 0 && !w.exited {
			a.env.kill(w.pid, unix.SIGUSR1)
		}
	}
}

func (a *arbiter) reopenLog() {
	if err := a.log.Reopen(); err != nil {
		a.log.Error("Reopening the log: %s", err)
	}
	// The workers open the files by name when they are told to, and may not be able to make them.
	if a.current != nil {
		if err := a.env.ownLogs(a.current.config); err != nil {
			a.log.Error("Reopening the log: %s", err)
		}
	}
}

// scale changes the number of workers by one, for as long as this configuration lasts: a reload goes back to the
// workers setting. A reload that is under way is changed as well.
func (a *arbiter) scale(delta int) {
	if a.phase != serving {
		return
	}
	for _, g := range []*generation{a.current, a.next} {
		if g == nil {
			continue
		}
		before := g.size()
		switch {
		case g.config.Scales() && !g.mayScale(delta):
			a.log.Warning("There are %d workers; min_workers is %d and max_workers %d.", g.size(),
				g.config.MinWorkers, g.config.MaxWorkers)
		case delta > 0 && g.size() >= MaxWorkers:
			a.log.Warning("There are %d workers already, which is the most that one master runs.", g.size())
		case delta > 0 && g.left > 0:
			g.left++
		case delta > 0:
			g.addSeat()
		case g.left > 0:
			g.left--
		case len(g.seats) > 1: // gunicorn keeps at least one
			a.dropSeat(g)
		}
		a.workersChanged(g, &before)
	}
}

// dropSeat gives up the seat of the oldest worker.
func (a *arbiter) dropSeat(g *generation) {
	s := g.oldestSeat()
	g.seats = without(g.seats, s)
	a.vacate(s, true)
	a.trimSockets()
}
