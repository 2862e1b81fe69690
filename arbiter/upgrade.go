package arbiter

import (
	"strings"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

// upgrade is the state of SIGUSR2: a new master beside the old one, on the same listening sockets. Either of them may
// leave; the other one serves on.
type upgrade struct {
	preparing   bool          // pre_exec runs
	successor   successorLink // the master that this one has started; nil = none
	predecessor int           // pid of the master that started this one, until it has left; 0 = none
	stopsBoth   bool          // process 1 has been told to stop the container, not only itself
}

// successorLink is the new master as the loop sees it.
type successorLink interface {
	pid() int
	// release tells the new master that this one has left. The end of this process says it as well.
	release()
}

// startUpgrade starts a new master (gunicorn's reexec): the program that is now where this one's was, with the same
// command line, in the same directory.
func (a *arbiter) startUpgrade() {
	u := &a.upgrade
	switch {
	case a.phase != serving || a.leaving():
		a.log.Warning("USR2 signal ignored. The server is about to start, or to stop.")
		return
	case u.preparing || u.successor != nil:
		a.log.Warning("USR2 signal ignored. Child exists.")
		return
	case u.predecessor != 0:
		a.log.Warning("USR2 signal ignored. Parent exists.")
		return
	}
	u.preparing = true
	a.callHook(a.current, wire.HookCall{Name: "pre_exec"}, func(failure *wire.Event) {
		u.preparing = false
		switch {
		case failure != nil:
			a.log.Error("No new master is started, this one goes on: the hook pre_exec failed: %s", failure.Error)
		case a.phase == serving:
			a.startSuccessor()
		}
	})
}

func (a *arbiter) startSuccessor() {
	successor, err := a.env.upgrade(a.bequest())
	if err != nil {
		a.log.Error("The new master cannot be started, this one goes on: %s", err)
		return
	}
	a.upgrade.successor = successor
	leave := "TERM"
	if a.pid == 1 {
		leave = "QUIT" // TERM ends the container
	}
	a.log.Info("Started a new master (pid:%d). When its workers serve, WINCH and then %s to this one (pid:%d) complete "+
		"the upgrade; TERM to the new one takes it back.", successor.pid(), leave, a.pid)
}

// bequest is what a new master gets.
func (a *arbiter) bequest() bequest {
	b := bequest{Master: a.pid, Passed: a.binder.inherited}
	for _, s := range a.current.sockets {
		b.Sockets = append(b.Sockets, heirloom{Address: s.address.String(), Seats: s.bySeat, Owned: s.unlink != nil})
	}
	return b
}

// successorEnded: the new master has left, and this one is the only one again.
func (a *arbiter) successorEnded(status unix.WaitStatus) {
	successor := a.upgrade.successor
	a.upgrade.successor = nil
	successor.release()
	if a.phase == attending {
		a.attendNext(status)
		return
	}
	how := strings.TrimSuffix(describe(status), "!")
	if a.phase == stopping || a.leaving() {
		a.log.Warning("The new master (pid:%d) %s; this one stops, too.", successor.pid(), how)
		a.tellStopping()
		return
	}
	a.log.Warning("The new master (pid:%d) %s; this one goes on.", successor.pid(), how)
}

// predecessorLeft: the old master has gone.
type predecessorLeft struct{}

// apply makes this master the only one: until now its pid file was NAME.2, as in gunicorn, and systemd knew the other.
func (predecessorLeft) apply(a *arbiter) {
	gone := a.upgrade.predecessor
	a.upgrade.predecessor = 0
	a.watchdog.tellAt = 0 // systemd listens to this process from now on
	a.log.Info("Master has been promoted.")
	old := a.pidfile()
	path := a.pidPath(a.current.config)
	(&pidfile{path, gone}).remove() // it was killed, and may be a process still, of which only the end is left
	renamed, err := createPidfile(path, a.pid)
	if err != nil {
		a.log.Error("%s", err)
		return
	}
	old.remove()
	for _, g := range []*generation{a.current, a.next} {
		if g != nil && g.pidfile == old {
			g.pidfile = renamed
		}
	}
	if a.phase == serving {
		a.notifyReady(a.current)
	}
}

// alone reports whether no other master listens on the same sockets. Whoever leaves before leaves their files in place.
func (a *arbiter) alone() bool { return a.upgrade.successor == nil && a.upgrade.predecessor == 0 }

// open is the socket of an address. Its file goes with the last master that listens there.
func (a *arbiter) open(at config.Address, cfg *config.Config) (*socket, error) {
	s, err := a.env.listen(at.Place(), optionsOf(cfg))
	if err == nil && at.Network == "tcp" && s.reusePort != cfg.ReusePort {
		a.log.Warning("reuse_port of %s stays what it was in the old master, whose socket goes on.", at)
	}
	if err != nil || s.unlink == nil {
		return s, err
	}
	unlink := s.unlink
	s.unlink = func() {
		if a.alone() {
			unlink()
		}
	}
	return s, nil
}

// pidPath is where the pid file belongs; "" for none.
func (a *arbiter) pidPath(cfg *config.Config) string {
	path := cfg.InChdir(cfg.Pidfile)
	if path != "" && a.upgrade.predecessor != 0 {
		path += ".2"
	}
	return path
}

// tell is for systemd, which listens to one master: the old one, as long as it is there.
func (a *arbiter) tell(state string) {
	if a.upgrade.predecessor == 0 {
		a.env.notify(state)
	}
}

// tellStopping tells systemd that the service stops, unless it goes on with the new master.
func (a *arbiter) tellStopping() {
	if a.upgrade.successor == nil {
		a.tell("STOPPING=1")
	}
}

// bequeath leaves to the new master, as the last thing that this one does: until now systemd has heard this one, and
// may have watched it drain.
func (a *arbiter) bequeath() {
	if s := a.upgrade.successor; s != nil {
		if a.upgrade.predecessor == 0 {
			a.env.introduce(s)
		}
		a.env.commend(s.pid())
	}
}

// leavePidfile removes the pid file, or leaves it to the new master: where the service manager reads it (PIDFile=) it
// does so at the end of this process, and must find one that lives.
func (a *arbiter) leavePidfile() {
	p := a.pidfile()
	if s := a.upgrade.successor; s == nil || !p.bequeath(s.pid()) {
		p.remove()
	}
}

// winch stops the workers and keeps the master, so that an upgrade can be taken back with HUP or TTIN. As in gunicorn
// that is for masters without a terminal: one that has it gets the signal whenever its window changes.
func (a *arbiter) winch() {
	switch {
	case a.env.terminal():
		a.log.Debug("SIGWINCH ignored. Not daemonized")
		return
	case a.phase != serving || a.leaving():
		return
	case a.next != nil || a.reload.reading || a.fading != nil:
		a.log.Warning("WINCH signal ignored. A reload is under way.")
		return
	}
	a.log.Info("graceful stop of workers")
	before := a.current.size()
	for _, s := range a.current.seats {
		a.vacate(s, true)
	}
	a.current.seats = nil
	a.trimSockets()
	a.workersChanged(a.current, &before)
}
