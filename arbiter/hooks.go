package arbiter

import (
	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
)

// The hooks of the master are Python, and run in the forkserver of the current generation, one after the other with its
// other commands. So a hook that is called before a worker is asked for has run before that worker is forked.

// hookCalls are the calls that have not been answered.
type hookCalls struct {
	last    int
	pending []hookCall
}

type hookCall struct {
	id     int
	server *server
	// then runs when the hook is done. failure says why it failed, nil if it did not, or if nobody knows because the
	// forkserver has ended.
	then func(failure *wire.Event)
}

// callHook runs a hook of g, and then goes on with then, which may be nil. Without such a hook, or somebody to run it,
// it goes on at once.
func (a *arbiter) callHook(g *generation, call wire.HookCall, then func(failure *wire.Event)) {
	if s := g.server; g.config.Hook(call.Name) != "" && s != nil && !s.leaving && !s.hungUp {
		a.hooks.last++
		call.ID = a.hooks.last
		if call.Workers == 0 {
			call.Workers = len(g.seats)
		}
		a.hooks.pending = append(a.hooks.pending, hookCall{call.ID, s, then})
		s.link.command(wire.Command{Command: wire.CommandHook, Hook: &call})
		return
	}
	if then != nil {
		then(nil)
	}
}

// hookDone goes on after a hook.
func (a *arbiter) hookDone(s *server, message *wire.Event) {
	failure := message
	if message.Error == "" {
		failure = nil
	}
	a.settleHooks(func(call hookCall) bool { return call.server == s && call.id == message.ID }, failure)
}

// hooksLost goes on after the hooks of a forkserver that has ended.
func (a *arbiter) hooksLost(s *server) {
	a.settleHooks(func(call hookCall) bool { return call.server == s }, nil)
}

func (a *arbiter) settleHooks(match func(hookCall) bool, failure *wire.Event) {
	var settled, pending []hookCall
	for _, call := range a.hooks.pending {
		if match(call) {
			settled = append(settled, call)
		} else {
			pending = append(pending, call)
		}
	}
	a.hooks.pending = pending
	for _, call := range settled {
		if call.then != nil {
			call.then(failure)
		}
	}
}

// startHooks begins the life of the master: nworkers_changed, its first log line, on_starting, and only then sockets,
// in gunicorn's order.
func (a *arbiter) startHooks(g *generation) {
	cfg := g.config
	if g.prepared != nil || cfg.Hook("nworkers_changed") != "" || cfg.Hook("on_starting") != "" {
		a.launch(g)
	}
	a.callHook(g, wire.HookCall{Name: "nworkers_changed"}, func(*wire.Event) {
		if a.phase != starting {
			return
		}
		a.log.Info("Starting pyhost %s", config.Version)
		a.callHook(g, wire.HookCall{Name: "on_starting"}, func(failure *wire.Event) {
			if a.phase != starting || a.startFailed("on_starting", failure) {
				return
			}
			a.phase = binding
		})
	})
}

// startFailed ends a master that a hook keeps from starting, as in gunicorn: a check that fails must not serve. Once it
// serves, no hook ends it.
func (a *arbiter) startFailed(hook string, failure *wire.Event) bool {
	if failure == nil || a.proven || a.phase == stopping {
		return false
	}
	a.halt("The hook "+hook+" failed: "+failure.Error, failure.Code)
	return true
}

// announceReady calls when_ready. In gunicorn that happens once in the life of a master. Here each forkserver that
// comes to serve gets it, since what the hook sets up, such as an exporter's thread, ends with the forkserver; and it
// waits until the one of before has gone, whose port it may need.
func (a *arbiter) announceReady(g *generation) {
	if !g.announce || g != a.current || len(a.servers) > 1 {
		return
	}
	g.announce = false
	call := wire.HookCall{Name: "when_ready", Addresses: urls(g.sockets.listeners(g.protocols))}
	a.callHook(g, call, func(failure *wire.Event) { a.startFailed("when_ready", failure) })
}

// reloadHooks calls what gunicorn calls on SIGHUP before it forks new workers.
func (a *arbiter) reloadHooks(g *generation, workersBefore int) {
	a.workersChanged(g, &workersBefore)
	a.callHook(g, wire.HookCall{Name: "on_reload"}, nil)
}

// workersChanged tells how many workers are wanted now, and how many were before.
func (a *arbiter) workersChanged(g *generation, before *int) {
	a.callHook(g, wire.HookCall{Name: "nworkers_changed", Workers: len(g.seats), Old: before}, nil)
	if g == a.current && a.proven {
		a.tell(g.status())
	}
}

// childExit is called for every worker that has ended, also for those of older generations.
func (a *arbiter) childExit(w *worker) {
	if w.pid != 0 {
		a.callHook(a.current, wire.HookCall{Name: "child_exit", PID: w.pid, Age: w.age}, nil)
	}
}

// keepsForHooks says whether the forkserver of g stays while the master stops: to run child_exit and on_exit.
func (a *arbiter) keepsForHooks(g *generation) bool {
	hooks := g.config.Hook("child_exit") != "" || g.config.Hook("on_exit") != ""
	return a.phase == stopping && g == a.current && hooks && g.server.ready
}

// hooksRun says whether a hook still runs while the master stops. Its time is bounded by graceful_timeout.
func (a *arbiter) hooksRun() bool {
	s := a.current.server
	if len(a.hooks.pending) == 0 || s == nil {
		return false
	}
	a.boundHooks(s)
	return true
}

func (a *arbiter) boundHooks(s *server) {
	if s.killAt == 0 {
		s.killAt = a.after(max(leaveGrace, seconds(a.current.config.GracefulTimeout)))
	}
}

// exitHooks lets on_exit run, for as long as graceful_timeout allows, before the last forkserver leaves.
func (a *arbiter) exitHooks() {
	s := a.current.server
	if s == nil || s.leaving {
		return
	}
	a.callHook(a.current, wire.HookCall{Name: "on_exit"}, func(*wire.Event) { a.dismiss(s) })
	if !s.leaving {
		a.boundHooks(s)
	}
}

// logFor writes what a hook wrote to server.log. As in gunicorn it comes from the master.
func (a *arbiter) logFor(level, text string) {
	write, known := map[string]func(string, ...any){
		"debug": a.log.Debug, "info": a.log.Info, "warning": a.log.Warning, "error": a.log.Error,
	}[level]
	if !known {
		write = a.log.Critical
	}
	write("%s", text)
}
