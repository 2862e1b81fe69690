package arbiter

import (
	"slices"
	"testing"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

// rolling is a machine with n workers of which a rolling reload has begun: its forkserver is ready.
func rolling(t *testing.T, n int, change func(*config.Config)) *harness {
	t.Helper()
	set := func(c *config.Config) {
		c.Workers, c.ReloadStrategy, c.Timeout = n, config.ReloadRolling, 0
		if change != nil {
			change(c)
		}
	}
	h := booted(t, set)
	h.reload = func() (*config.Config, error) { return testConfig(set), nil }
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.post(serverSaid{2, wire.Event{Event: wire.EventReady}})
	return h
}

// youngest is the worker that was asked for last.
func (h *harness) youngest() *fakeWorker { return h.workers[len(h.workers)-1] }

// told are the workers that were told to stop and have not ended.
func (h *harness) told() []*fakeWorker {
	return slices.DeleteFunc(h.alive(), func(w *fakeWorker) bool { return len(w.stops) == 0 })
}

// One new worker boots at a time, and an old one must have ended before the next does.
func TestRollingReload(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"shared": nil,
		"reuse":  func(c *config.Config) { c.ReusePort = true },
	} {
		t.Run(name, func(t *testing.T) {
			h := rolling(t, 3, change)
			for i := range 3 {
				h.wantAlive(4)
				fresh := h.youngest()
				if len(h.told()) != 0 {
					t.Fatalf("an old worker stops before the new one %d is ready", i)
				}
				fresh.forked()
				fresh.ready()
				leaving := h.told()
				if len(leaving) != 1 {
					t.Fatalf("%d old workers stop for the new one %d", len(leaving), i)
				}
				if name == "reuse" && leaving[0].sockets[0] != fresh.sockets[0] {
					t.Errorf("the new worker %d has not the socket of the one that leaves for it", i)
				}
				h.wantAlive(4)
				if i == 0 {
					h.wantLine("INFO The first new worker serves; 2 follow one at a time (reload_strategy rolling).")
					if !h.servers[0].told {
						t.Error("the old forkserver stays")
					}
					h.servers[0].end(exited(0))
				}
				leaving[0].exit(exited(0))
			}
			if ids := generationsOf(h.wantAlive(3)); !slices.Equal(ids, []int{2, 2, 2}) {
				t.Errorf("generations %v", ids)
			}
			h.wantLine("INFO Reloaded: 3 new workers took over after 0s.")
			if last := h.notes[len(h.notes)-1]; last != "READY=1\nSTATUS=3 workers" {
				t.Errorf("systemd heard %q last", last)
			}
			if h.a.fading != nil {
				t.Error("the old generation is still there")
			}
		})
	}
}

// The first new worker proves the code: one that fails ends the reload, and nothing has changed.
func TestRollingReloadWithBrokenApp(t *testing.T) {
	h := rolling(t, 2, nil)
	h.youngest().forked()
	h.youngest().failed(wire.ExitBootError, "boom")
	h.wantKept("worker failed to boot: boom")
}

// Later failures are tried again. Another reload does not wait for them: it may mend them, and the old workers serve on
// until all of its own are ready.
func TestRollingReloadStuck(t *testing.T) {
	h := rolling(t, 3, nil)
	h.youngest().forked()
	h.youngest().ready()
	h.servers[0].end(exited(0))
	h.told()[0].exit(exited(0))
	h.signal(unix.SIGHUP)
	h.wantLine("INFO This reload waits for what is under way.")
	for range 2 { // the second failure costs a pause
		h.youngest().forked()
		h.youngest().failed(wire.ExitBootError, "flaky")
	}
	h.finishWork()
	h.post(serverSaid{3, wire.Event{Event: wire.EventReady}})
	fresh := h.wantAlive(3 + 3)[3:]
	if ids := generationsOf(fresh); !slices.Equal(ids, []int{3, 3, 3}) {
		t.Fatalf("generations %v", ids)
	}
	for _, w := range fresh {
		if len(h.told()) != 0 {
			t.Error("an old worker stops before all new ones are ready")
		}
		w.forked()
		w.ready()
	}
	if len(h.told()) != 3 || h.a.fading != nil {
		t.Errorf("%d old workers stop", len(h.told()))
	}
	h.wantLine("INFO Reloaded: 3 new workers took over after 0s.")
}

// An old worker that dies meanwhile is not replaced by old code, and the reload goes on.
func TestRollingReloadAndADeath(t *testing.T) {
	h := rolling(t, 3, nil)
	h.youngest().forked()
	h.youngest().ready()
	h.servers[0].end(exited(0))
	old := slices.DeleteFunc(h.alive(), func(w *fakeWorker) bool { return len(w.stops) > 0 || w.boot.Generation == 2 })
	old[0].exit(killed(unix.SIGKILL))
	if ids := generationsOf(h.wantAlive(4)); !slices.Equal(ids, []int{1, 1, 2, 2}) {
		t.Errorf("generations %v", ids)
	}
}

// TTIN, TTOU, TERM and INT in the middle.
func TestRollingReloadAndSignals(t *testing.T) {
	h := rolling(t, 3, nil)
	h.youngest().forked()
	h.youngest().ready()
	h.signal(unix.SIGTTIN)
	if size := h.a.current.size(); size != 4 {
		t.Errorf("%d workers after TTIN", size)
	}
	for range 5 {
		h.signal(unix.SIGTTOU)
	}
	if size := h.a.current.size(); size != 1 {
		t.Errorf("%d workers after TTOU", size)
	}
	for name, signal := range map[string]unix.Signal{"TERM": unix.SIGTERM, "INT": unix.SIGINT} {
		t.Run(name, func(t *testing.T) {
			h := rolling(t, 3, nil)
			h.youngest().forked()
			h.youngest().ready()
			h.signal(signal)
			if told := len(h.told()); told != 4 {
				t.Errorf("%d workers were told to stop", told)
			}
			for _, w := range h.alive() {
				w.exit(exited(0))
			}
			for _, s := range h.servers {
				s.end(exited(0))
			}
			h.wantEnded(exitOK)
		})
	}
}
