package arbiter

import (
	"fmt"
	"time"

	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

const (
	// leaveGrace is how long a forkserver may take to obey the exit command, or to end after it has hung up.
	leaveGrace = 2 * time.Second
	// settleGrace is how long the master waits for the last words of a process that has ended: an exit status and a
	// message come on different ways, and the message names the cause.
	settleGrace = 250 * time.Millisecond
)

// server is one forkserver process. It has ended when it has both hung up and been reaped: only then is all known that
// it told, and its workers have become children of the master.
type server struct {
	launch     int
	pid        int
	generation *generation
	link       serverLink
	ready      bool
	readyAt    time.Duration
	booting    bool        // the boot command was sent
	leaving    bool        // the master told it to
	failure    *wire.Event // why it could not boot, in its own words
	hungUp     bool
	reaped     bool
	status     unix.WaitStatus
	killAt     time.Duration // 0 = not to be killed
	settleAt   time.Duration // when reaped: the end of waiting for it to hang up
}

func (a *arbiter) serverByLaunch(launch int) *server {
	for _, s := range a.servers {
		if s.launch == launch {
			return s
		}
	}
	return nil
}

// launch starts a forkserver for g, and boots it unless the master is still starting.
func (a *arbiter) launch(g *generation) {
	a.launches++
	p := g.prepared
	g.prepared = nil
	link, err := a.env.launch(launchOrder{
		launch: a.launches, config: g.config, library: g.library, executable: g.executable, prepared: p,
	})
	if err != nil {
		cause := fmt.Sprintf("Forkserver could not be started: %s", err)
		a.log.Error("%s", cause)
		a.serverLost(g, false, exitError, cause)
		return
	}
	s := &server{launch: a.launches, pid: link.pid(), generation: g, link: link}
	a.servers = append(a.servers, s)
	g.server = s
	a.log.Debug("Starting forkserver with pid: %d", s.pid)
	if p == nil && g.file != nil { // for its hooks
		link.command(wire.Command{Command: wire.CommandConfigure, File: g.file, Argv: a.options.Argv})
	}
	if a.phase < serving {
		link.command(a.bootCommand(wire.CommandPrepare, g))
		return
	}
	if g == a.current && a.proven {
		g.announce = true // it replaces one that has run when_ready
	}
	a.boot(s)
}

// boot makes s import what is to be preloaded; it is ready for forking then.
func (a *arbiter) boot(s *server) {
	s.booting = true
	s.link.command(a.bootCommand(wire.CommandBoot, s.generation))
}

func (a *arbiter) bootCommand(name string, g *generation) wire.Command {
	return wire.Command{Command: name, Config: g.config, Argv: a.options.Argv, MasterPID: a.pid}
}

func (a *arbiter) serverReady(s *server, python string) {
	s.ready, s.readyAt = true, a.env.now()
	a.log.Debug("Forkserver (pid:%d) is ready: Python %s", s.pid, python)
}

// serverFailed logs why a forkserver could not boot. What follows from it is decided when the process has ended.
func (a *arbiter) serverFailed(s *server, message wire.Event) {
	s.failure = &message
	a.watchFailed(s.generation, message.Traceback)
	text := message.Error
	if message.Traceback != "" {
		text += "\n" + message.Traceback
	}
	a.log.Error("Forkserver (pid:%d) failed to boot: %s", s.pid, text)
}

func (a *arbiter) serverHungUp(s *server, err error) {
	s.hungUp = true
	if err != nil && !s.leaving {
		a.log.Error("Forkserver (pid:%d): %s", s.pid, err)
	}
	if !s.reaped && s.killAt == 0 {
		s.killAt = a.after(leaveGrace)
	}
}

// dismiss makes a forkserver leave. One that boots reads no commands; it has no workers yet.
func (a *arbiter) dismiss(s *server) {
	s.leaving = true
	if s.booting && !s.ready {
		a.env.kill(s.pid, unix.SIGKILL)
		return
	}
	s.link.exit()
	s.killAt = a.after(leaveGrace)
}

// serverEnded draws the consequences of the end of s.
func (a *arbiter) serverEnded(s *server) {
	a.servers = without(a.servers, s)
	s.link.close()
	a.hooksLost(s)
	for _, w := range a.workers {
		if w.server == s {
			a.adopt(w)
		}
	}
	g := s.generation
	if g.server == s {
		g.server = nil
	}
	if s.leaving {
		return
	}
	cause, code := "", exitError
	if s.failure != nil {
		cause, code = "Forkserver failed to boot: "+s.failure.Error, s.failure.Code
	} else {
		cause = fmt.Sprintf("Forkserver (pid:%d) %s", s.pid, describe(s.status))
		a.log.Error("%s", cause)
	}
	if s.ready {
		code = 0
	}
	stable := s.ready && a.env.now()-s.readyAt >= stableAfter
	a.serverLost(g, stable, code, cause)
}

// serverLost makes up for a forkserver of g that has ended, or never started. The workers go on. A code other than 0
// says that it did not boot. The log knows the cause already.
func (a *arbiter) serverLost(g *generation, stable bool, code int, cause string) {
	switch {
	case a.phase == stopping:
		return
	case g == a.next:
		a.abandonReload(cause)
		return
	case g != a.current:
		return
	}
	if !a.proven && code != 0 && a.awaitChange(g) {
		return
	}
	if !a.proven && code != 0 {
		a.halt(bootFailure(code, "Forkserver failed to boot."))
		return
	}
	if stable {
		g.brake.reset()
	}
	if pause := a.hold(&g.brake, 0); pause > 0 {
		a.log.Warning("A forkserver failed %d times in a row; the next one starts in %s.", g.brake.failures, pause)
	}
}

// bootFailure is gunicorn's reason for each exit code; the master exits with that code.
func bootFailure(code int, otherwise string) (reason string, exitCode int) {
	switch code {
	case wire.ExitBootError:
		return "Worker failed to boot.", code
	case wire.ExitAppLoad:
		return "App failed to load.", code
	}
	return otherwise, exitError
}
