package arbiter

import (
	"strings"
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

// asks lets a worker ask for its replacement.
func (w *fakeWorker) asks() {
	w.h.t.Helper()
	w.h.post(workerSaid{w.boot.Age, wire.Event{Event: wire.EventRetire, Error: "it is old"}})
}

// stopped reports whether the master has told the worker to stop.
func (w *fakeWorker) stopped() bool { return len(w.stops) > 0 }

// The old worker serves until the new one is ready; and only one at a time is replaced.
func TestRecyclingReplacesOneAfterTheOther(t *testing.T) {
	h := booted(t, nil)
	first, second := h.workers[0], h.workers[1]
	second.asks()
	first.asks()
	if len(h.workers) != 3 {
		t.Fatalf("%d workers were started, not one more", len(h.workers))
	}
	heir := h.workers[2]
	heir.forked()
	if second.stopped() || first.stopped() {
		t.Fatal("a worker was stopped before its heir was ready")
	}
	heir.ready()
	if len(second.stops) != 1 || !second.stops[0] || first.stopped() {
		t.Fatalf("stops: %v, %v", second.stops, first.stops)
	}
	second.exit(0)
	h.bootAll()
	first.exit(0)
	if !first.stopped() || len(h.alive()) != 2 || len(h.workers) != 4 || !h.a.current.ready() {
		t.Errorf("%d of %d workers live", len(h.alive()), len(h.workers))
	}
	if !strings.Contains(h.log(), "INFO Replacing worker (pid:") || !strings.Contains(h.log(), "): it is old") {
		t.Errorf("the log does not tell:\n%s", h.log())
	}
}

// A new worker that does not boot leaves the old one in its place, and the attempts become rarer.
func TestRecyclingSurvivesAHeirThatDoesNotBoot(t *testing.T) {
	h := booted(t, nil)
	old := h.workers[0]
	old.asks()
	for range 5 {
		heir := h.workers[len(h.workers)-1]
		heir.forked()
		heir.failed(wire.ExitBootError, "no module named shop")
		h.pass(time.Minute)
	}
	if old.stopped() || h.a.phase != serving || h.a.exitCode != 0 {
		t.Fatalf("stopped %v, phase %v", old.stopped(), h.a.phase)
	}
	if started := len(h.workers); started < 5 || started > 8 {
		t.Errorf("%d workers were started", started)
	}
	h.bootAll()
	if !old.stopped() {
		t.Error("the replacement that boots at last does not take over")
	}
}

// Whatever happens to the old worker meanwhile, its heir is the one that follows.
func TestRecyclingHeirFollowsAWorkerThatDies(t *testing.T) {
	h := booted(t, nil)
	h.workers[0].asks()
	h.workers[2].forked()
	h.workers[0].exit(killed(unix.SIGKILL))
	if len(h.workers) != 3 {
		t.Fatalf("%d workers were started", len(h.workers))
	}
	h.workers[2].ready()
	if len(h.alive()) != 2 || !h.a.current.ready() {
		t.Errorf("%d workers live", len(h.alive()))
	}
}

// A stop, a reload and TTOU reach the heir too.
func TestRecyclingEndsWithItsGeneration(t *testing.T) {
	for name, end := range map[string]func(*harness){
		"stop": func(h *harness) { h.signal(unix.SIGTERM) },
		"reload": func(h *harness) {
			h.reload = func() (*config.Config, error) { return testConfig(nil), nil }
			h.signal(unix.SIGHUP)
			h.finishWork()
			for _, s := range h.servers[1:] {
				h.post(serverSaid{s.order.launch, wire.Event{Event: wire.EventReady}})
			}
			for _, w := range h.workers[3:] {
				w.forked()
				w.ready()
			}
		},
		"ttou": func(h *harness) { h.signal(unix.SIGTTOU) },
	} {
		t.Run(name, func(t *testing.T) {
			h := booted(t, nil)
			h.workers[0].asks()
			h.workers[2].forked()
			end(h)
			if !h.workers[0].stopped() || !h.workers[2].stopped() {
				t.Errorf("stopped: %v, %v", h.workers[0].stopped(), h.workers[2].stopped())
			}
		})
	}
}

func TestRecyclingByLifetime(t *testing.T) {
	h := booted(t, func(c *config.Config) { c.MaxWorkerLifetime, c.Timeout = 60, 0 })
	h.pass(59 * time.Second)
	if len(h.workers) != 2 {
		t.Fatalf("%d workers after 59 s", len(h.workers))
	}
	h.pass(2 * time.Second)
	h.bootAll()
	if !h.workers[0].stopped() {
		t.Errorf("the first worker lives on:\n%s", h.log())
	}
}

func TestRecyclingByMemory(t *testing.T) {
	h := booted(t, func(c *config.Config) { c.MaxWorkerMemory, c.Timeout = 100, 0 })
	h.memory[h.workers[0].pid], h.memory[h.workers[1].pid] = 100<<20, 101<<20
	h.pass(3 * memoryPeriod)
	h.bootAll()
	if h.workers[0].stopped() || !h.workers[1].stopped() {
		t.Errorf("stopped: %v, %v", h.workers[0].stopped(), h.workers[1].stopped())
	}
	if !strings.Contains(h.log(), "it takes 101 MiB of memory, more than 100 (max_worker_memory)") {
		t.Errorf("the log does not tell:\n%s", h.log())
	}
}

// With a jitter the workers of a generation do not end together.
func TestLifetimeHasJitter(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 50 {
		d := lifetime(&config.Config{MaxWorkerLifetime: 10, MaxWorkerLifetimeJitter: 5})
		if d < 10*time.Second || d > 15*time.Second {
			t.Fatalf("%v", d)
		}
		seen[d] = true
	}
	if len(seen) < 2 {
		t.Error("always the same")
	}
}
