package arbiter

import (
	"slices"
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"golang.org/x/sys/unix"
)

// delayed is a machine whose drain_delay of 5 s has begun.
func delayed(t *testing.T) *harness {
	t.Helper()
	h := booted(t, func(c *config.Config) { c.DrainDelay, c.Timeout = 5, 0 })
	h.signal(unix.SIGTERM)
	h.wantLine("INFO Stopping in 5s (drain_delay); until then connections are still accepted.")
	for _, w := range h.wantAlive(2) {
		if !w.warned || len(w.stops) > 0 {
			t.Errorf("worker %d: warned %v, stops %v", w.boot.Age, w.warned, w.stops)
		}
	}
	if !h.open["127.0.0.1:8000"] || h.notes[len(h.notes)-1] != "STOPPING=1" {
		t.Errorf("open: %v, notes: %q", h.open, h.notes)
	}
	return h
}

func TestDrainDelay(t *testing.T) {
	for name, c := range map[string]struct {
		end      func(h *harness)
		graceful bool
	}{
		"over": {func(h *harness) {
			h.pass(5*time.Second - time.Millisecond)
			h.wantAlive(2)
			h.pass(time.Millisecond)
		}, true},
		"TERM": {func(h *harness) { h.signal(unix.SIGTERM) }, true},
		"INT":  {func(h *harness) { h.signal(unix.SIGINT) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := delayed(t)
			c.end(h)
			for _, w := range h.wantAlive(2) {
				if !slices.Equal(w.stops, []bool{c.graceful}) {
					t.Errorf("stop commands %v", w.stops)
				}
				w.exit(exited(0))
			}
			h.server().end(exited(0))
			h.wantEnded(exitOK)
			if slices.Index(h.notes, "STOPPING=1") != len(h.notes)-1 {
				t.Errorf("systemd heard %q", h.notes)
			}
		})
	}
}

// The server serves during the delay: a worker that dies is replaced, and its successor knows.
func TestDrainDelayAndADeath(t *testing.T) {
	h := delayed(t)
	h.workers[0].exit(killed(unix.SIGKILL))
	h.wantAlive(2)
	fresh := h.youngest()
	fresh.forked()
	fresh.ready()
	if !fresh.warned {
		t.Error("the new worker was not told")
	}
}

// No reload is begun any more, and one that is under way is given up.
func TestDrainDelayAndReload(t *testing.T) {
	h := delayed(t)
	h.signal(unix.SIGHUP)
	h.wantLine("INFO The server is about to stop: no reload.")
	if h.a.reload.reading || h.a.reload.queued {
		t.Error("a reload has begun")
	}
	h = reloadable(t, nil)
	h.a.current.config.DrainDelay = 5
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.signal(unix.SIGTERM)
	if h.a.next != nil {
		t.Error("the reload goes on")
	}
	if last := h.notes[len(h.notes)-1]; last != "STOPPING=1" {
		t.Errorf("systemd heard %q last", last)
	}
	h.wantLine("INFO The server is about to stop: the reload is given up.")
}
