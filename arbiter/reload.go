package arbiter

import (
	"fmt"
	"time"

	"github.com/pyhost/pyhost/config"
)

// reloadPatience is how long a reload that does not come to an end may hold up the next one, which may mend it.
const reloadPatience = 60 * time.Second

// reload is the state of SIGHUP.
type reload struct {
	reading bool          // Options.Reload runs
	queued  bool          // another SIGHUP came meanwhile; several count as one
	began   time.Duration // when the SIGHUP was taken up
	swapAt  time.Duration // when the generations are swapped, though the new one is ready; 0 = at once
}

// hangUp begins a reload, or queues it behind the one that is under way.
func (a *arbiter) hangUp() {
	switch {
	case a.phase == stopping:
		return
	case a.leaving():
		a.log.Info("The server is about to stop: no reload.")
		return
	case a.phase < serving, a.reload.reading, a.next != nil, a.fading != nil && !a.rollingStuck():
		a.reload.queued = true
		a.log.Info("This reload waits for what is under way.")
		return
	}
	a.beginReload()
}

func (a *arbiter) beginReload() {
	a.log.Info("Hang up: Master")
	a.reload = reload{reading: true, began: a.env.now()}
	a.tell(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", a.env.now().Microseconds()))
	a.reopenLog()
	options, current := a.options, a.current
	a.env.background(func() event {
		read := configRead{config: current.config, library: current.library, executable: current.executable}
		if options.Reload != nil {
			read.config, read.prepared, read.err = options.Reload()
		}
		if read.err == nil && read.prepared == nil && options.Resolve != nil {
			read.library, read.executable, read.err = options.Resolve(read.config)
		}
		return read
	})
}

// configRead goes on with a reload when the configuration has been read: new sockets first, then a new generation.
func (a *arbiter) configRead(e configRead) {
	a.reload.reading = false
	if a.phase == serving && !a.leaving() {
		if err := a.beginGeneration(e); err != nil {
			a.reloadFailed(err.Error())
		}
	}
	if a.next == nil {
		e.prepared.Discard()
	}
	a.reap() // what had to wait for the reader
}

func (a *arbiter) beginGeneration(e configRead) error {
	if e.err != nil {
		return e.err
	}
	if err := checkConfig(e.config); err != nil {
		return err
	}
	if err := a.env.ownLogs(e.config); err != nil { // the workers open them by name, as the user that they are
		return err
	}
	for _, warning := range e.config.Warnings {
		a.log.Warning("%s", warning)
	}
	a.watchConfig(e.config)
	g := a.newGeneration(e.config, e.prepared, e.library, e.executable)
	g.resume(a.current.size())
	before := a.current.size()
	err := a.rebind(g)
	if err != nil {
		return err
	}
	if g.pidfile, err = a.current.pidfile.move(a.pidPath(g.config), a.pid); err != nil {
		g.sockets.closeExcept(a.current.sockets)
		return err
	}
	a.rollOut(g)
	a.next = g
	a.launch(g) // at once: a prepared forkserver has to be known before children are reaped
	a.reloadHooks(g, before)
	return nil
}

// checkReload swaps the generations when the new one is ready, and takes up a queued reload.
func (a *arbiter) checkReload() {
	if a.next != nil && a.next.ready() && a.letGo() {
		a.swap()
	}
	if a.next != nil && a.reload.queued && a.due(a.reload.began+reloadPatience) {
		a.abandonReload(fmt.Sprintf("it has not booted within %s, and another reload waits", reloadPatience))
	}
	if a.next == nil && a.reload.queued && !a.reload.reading && (a.fading == nil || a.rollingStuck()) {
		a.beginReload()
	}
}

// letGo prepares the sockets that close with a swap, as a stop does, and reports whether the swap may come now:
// connections that the kernel keeps back are given a moment.
func (a *arbiter) letGo() bool {
	if a.reload.swapAt == 0 {
		closing := a.current.sockets.except(a.next.sockets).own()
		if !a.isLast() || !a.env.letThrough(closing.all()) {
			return true
		}
		a.reload.swapAt = a.after(keptBackGrace)
	}
	return a.due(a.reload.swapAt)
}

// swap makes the new generation the serving one. Only now do old workers stop.
func (a *arbiter) swap() {
	old, g := a.current, a.next
	a.current, a.next = g, nil
	a.prove()
	old.sockets.closeExcept(g.sockets)
	if old.pidfile != g.pidfile {
		old.pidfile.remove()
	}
	if a.fading != nil {
		a.retire(a.fading, true) // a rolling reload was stuck
		a.fading = nil
	}
	a.title(g.config)
	a.changeLog(g.config)
	g.announce = true
	if g.left > 0 {
		a.fading = old
		a.closeForkserver(old)
		a.log.Info("The first new worker serves; %d follow one at a time (reload_strategy rolling).", g.left)
		return
	}
	a.retire(old, true)
	a.trimSockets()
	a.reloaded()
}

// changeLog has the master log where the new workers do.
func (a *arbiter) changeLog(cfg *config.Config) {
	if a.options.ChangeLog == nil {
		return
	}
	changed, err := a.options.ChangeLog(cfg)
	if err != nil {
		a.log.Error("The master's own log stays as it was: %v", err)
	}
	if changed {
		a.told = 0 // statsd may be another one
	}
}

// reloaded tells that the last worker of a reload serves.
func (a *arbiter) reloaded() {
	g := a.current
	took := (a.env.now() - a.reload.began).Round(time.Millisecond)
	a.log.Info("Reloaded: %d new %s took over after %s.", g.size(), g.noun(), took)
	a.notifyReady(g)
}

// abandonReload gives up a generation that does not boot.
func (a *arbiter) abandonReload(cause string) {
	a.dropNext()
	a.reloadFailed(cause)
}

// dropNext ends the generation that boots, for whatever reason: that of before stays.
func (a *arbiter) dropNext() {
	g := a.next
	a.next = nil
	a.retire(g, true)
	g.sockets.closeExcept(a.current.sockets)
	a.trimSockets()
	if g.pidfile != a.current.pidfile {
		g.pidfile.remove()
	}
}

func (a *arbiter) reloadFailed(cause string) {
	if a.current.waiting {
		a.log.Error("The application does not load. Waiting for another change of its code: %s", cause)
		return
	}
	a.log.Error("Reload failed, the workers of before go on serving: %s", cause)
	a.notifyReady(a.current)
}

// notifyReady tells systemd that g serves; before that it stays with what it knows.
func (a *arbiter) notifyReady(g *generation) {
	if a.proven {
		a.tell("READY=1\n" + g.status())
		if a.options.Settled != nil {
			a.options.Settled()
		}
	}
}
