package arbiter

import (
	"os"
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

// paced is a machine with so many processors on which six workers are to start.
func paced(t *testing.T, cores int, change func(*config.Config)) *harness {
	t.Helper()
	h := newHarness(t, func(c *config.Config) {
		c.Workers = 6
		if change != nil {
			change(c)
		}
	})
	h.cores = cores
	h.start()
	h.post(serverSaid{1, wire.Event{Event: wire.EventReady}})
	return h
}

// forkAll tells the pids of the workers that have been asked for.
func (h *harness) forkAll() {
	h.t.Helper()
	for _, w := range h.workers {
		if w.pid == 0 {
			w.forked()
		}
	}
}

// importFor lets time go by in which the workers use so much of a processor each.
func (h *harness) importFor(d time.Duration, share float64) {
	h.t.Helper()
	for step := 10 * time.Millisecond; d > 0; d -= step {
		for _, w := range h.workers {
			h.used[w.pid] += time.Duration(float64(step) * share)
		}
		h.pass(step)
		h.forkAll()
	}
}

// As many workers import as there are processors, all but one while nobody serves; one that is ready makes room.
func TestPaceOfImports(t *testing.T) {
	h := paced(t, 3, nil)
	h.forkAll()
	h.importFor(5*time.Second, 0.9)
	h.wantAlive(2)
	h.workers[0].ready()
	h.forkAll()
	h.importFor(time.Second, 0.9)
	h.wantAlive(4)
	h.workers[1].ready()
	h.forkAll()
	h.wantAlive(5)
	for _, w := range h.workers[2:] {
		w.ready()
	}
	h.wantAlive(6)
}

// One processor is enough for one worker at a time.
func TestPaceOnOneProcessor(t *testing.T) {
	h := paced(t, 1, nil)
	for n := range 6 {
		h.wantAlive(n + 1)
		h.forkAll()
		h.workers[n].ready()
	}
	if !h.a.proven {
		t.Error("six workers are ready, and the generation is not up")
	}
}

// Who waits for something leaves its processor to the next.
func TestPaceOfWaiting(t *testing.T) {
	h := paced(t, 2, nil)
	h.forkAll()
	h.wantAlive(1)
	h.importFor(importPeriod*3/2, 0.01)
	h.wantAlive(2)
	h.importFor(12*importPeriod, 0.01)
	h.wantAlive(6)
}

// Nobody waits for ever for one that does not come to an end.
func TestPaceIsPatientForAWhile(t *testing.T) {
	h := paced(t, 1, nil)
	h.forkAll()
	h.importFor(importPatience-time.Second, 1)
	h.wantAlive(1)
	h.importFor(2*time.Second, 1)
	h.wantAlive(2)
}

func TestPaceAfterPreload(t *testing.T) {
	h := paced(t, 2, func(c *config.Config) { c.PreloadApp = true })
	h.wantAlive(6)
}

// The others need not fail too.
func TestPaceOfAFailure(t *testing.T) {
	h := paced(t, 2, nil)
	h.forkAll()
	h.workers[0].failed(3, "no module named shop")
	if len(h.workers) != 1 {
		t.Errorf("%d workers were started, want 1", len(h.workers))
	}
	h.server().end(exited(0))
	h.wantEnded(3)
}

// A reload has the workers of before to serve, so it takes all processors.
func TestPaceOfAReload(t *testing.T) {
	h := paced(t, 2, nil)
	h.bootAll()
	if !h.a.proven {
		t.Fatal("the first generation is not up")
	}
	h.reload = func() (*config.Config, error) { return testConfig(func(c *config.Config) { c.Workers = 6 }), nil }
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.post(serverSaid{2, wire.Event{Event: wire.EventReady}})
	h.wantAlive(6 + 2)
	h.bootAll()
	h.wantAlive(6 + 6)
}

func TestBusy(t *testing.T) {
	y := new(system)
	if y.busy(os.Getpid()) == 0 {
		t.Error("this process has never been on a processor")
	}
	if y.busy(0) != 0 {
		t.Error("a process that is not there has been on a processor")
	}
}
