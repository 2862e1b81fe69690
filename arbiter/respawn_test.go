package arbiter

import (
	"errors"
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

func TestWorkerDeath(t *testing.T) {
	tests := []struct {
		name   string
		status unix.WaitStatus
		line   string // none if empty
	}{
		{"exit 0", exited(0), ""},
		{"exit 1", exited(1), "ERROR Worker (pid:102) exited with code 1."},
		{"exit 3 after it was ready", exited(3), "ERROR Worker (pid:102) exited with code 3."},
		{"exit 4 after it was ready", exited(4), "ERROR Worker (pid:102) exited with code 4."},
		{"SIGSEGV", killed(unix.SIGSEGV), "WARNING Worker (pid:102) was sent SIGSEGV!"},
		{"SIGTERM", killed(unix.SIGTERM), "INFO Worker (pid:102) was sent SIGTERM!"},
		{"SIGKILL", killed(unix.SIGKILL), "ERROR Worker (pid:102) was sent SIGKILL! Perhaps out of memory?"},
		{"with core", killed(unix.SIGABRT) | 0x80, "WARNING Worker (pid:102) was sent SIGABRT!"},
		{"real-time signal", killed(40), "WARNING Worker (pid:102) was sent signal 40!"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := booted(t, func(c *config.Config) { c.Timeout = 0 })
			h.pass(time.Minute)
			h.workers[0].exit(test.status)
			h.wantAlive(2)
			if len(h.workers) != 3 || h.workers[2].boot.Slot != h.workers[0].boot.Slot {
				t.Errorf("the replacement did not come at once and in the free slot")
			}
			if !h.workers[0].closed {
				t.Error("the socket of the dead worker is open")
			}
			if test.line == "" && len(h.lines) != 0 {
				t.Errorf("the log says %q", h.lines)
			} else if test.line != "" {
				h.wantLine(test.line)
			}
		})
	}
}

func TestCrashLoop(t *testing.T) {
	crash := func(h *harness, w *fakeWorker) {
		w.forked()
		w.exit(killed(unix.SIGSEGV))
	}
	h := booted(t, func(c *config.Config) { c.Workers, c.Timeout = 1, 0 })
	h.pass(time.Minute)
	h.workers[0].exit(killed(unix.SIGSEGV))
	if len(h.workers) != 2 {
		t.Fatal("a single crash was not mended at once")
	}
	for i, pause := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		before := len(h.workers)
		crash(h, h.workers[before-1])
		h.pass(pause*time.Second - time.Millisecond)
		if len(h.workers) != before {
			t.Fatalf("crash %d: a new worker came too early", i)
		}
		h.pass(time.Millisecond)
		if len(h.workers) != before+1 {
			t.Fatalf("crash %d: no new worker after %d s; log:\n%s", i, pause, h.log())
		}
	}
	h.wantLine("WARNING A worker failed 2 times in a row; the next one starts in 1s.")
	// One that stays up ends the loop.
	last := h.workers[len(h.workers)-1]
	last.forked()
	last.ready()
	h.pass(stableAfter)
	count := len(h.workers)
	last.exit(killed(unix.SIGSEGV))
	if len(h.workers) != count+1 {
		t.Error("after a stable time a crash was not mended at once")
	}
}

// A worker that serves for a while before it dies, again and again, is away no longer than it was there.
func TestCrashLoopOfWorkersThatServe(t *testing.T) {
	h := booted(t, func(c *config.Config) { c.Workers, c.Timeout = 1, 0 })
	for i, pause := range []time.Duration{0, 1, 2, 3, 3, 3} {
		last := h.workers[len(h.workers)-1]
		if i > 0 {
			last.forked()
			last.ready()
		}
		h.a.board.Slot(last.boot.Slot).AddRequest()
		h.pass(3 * time.Second)
		before := len(h.workers)
		last.exit(killed(unix.SIGSEGV))
		h.pass(pause*time.Second - time.Millisecond)
		if pause > 0 && len(h.workers) != before {
			t.Fatalf("crash %d: a new worker came too early", i)
		}
		h.pass(time.Millisecond)
		if len(h.workers) != before+1 {
			t.Fatalf("crash %d: no new worker after %d s; log:\n%s", i, pause, h.log())
		}
	}
}

// A boot failure after the first generation has served never stops the master.
func TestLaterBootFailure(t *testing.T) {
	h := booted(t, func(c *config.Config) { c.Timeout = 0 })
	h.pass(5 * time.Second)
	h.workers[0].exit(killed(unix.SIGKILL))
	for range 3 {
		h.pass(time.Minute)
		for _, w := range h.alive() {
			if w.pid == 0 {
				w.forked()
				w.failed(wire.ExitAppLoad, "no attribute 'app'")
			}
		}
	}
	if h.a.phase != serving {
		t.Fatalf("the master stopped:\n%s", h.log())
	}
	if len(h.workers[1].signals) != 0 {
		t.Errorf("the healthy worker was sent %v", h.workers[1].signals)
	}
}

// max_requests under load makes workers leave quickly; they must come back as quickly.
func TestQuickOrderlyExits(t *testing.T) {
	tests := []struct {
		name     string
		requests int
		lived    time.Duration
		braked   bool
	}{
		{"served one request", 1, 0, false},
		{"lived for a while", 0, briefLife, false},
		{"left at once", 0, 0, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := booted(t, func(c *config.Config) { c.Workers = 1 })
			for range 5 {
				h.bootAll()
				for _, w := range h.alive() {
					for range test.requests {
						h.a.board.Slot(w.boot.Slot).AddRequest()
					}
					h.pass(test.lived)
					w.exit(exited(0))
				}
			}
			if braked := len(h.workers) < 6; braked != test.braked {
				t.Errorf("%d workers were started", len(h.workers))
			}
		})
	}
}

func TestForkFailures(t *testing.T) {
	t.Run("in the forkserver", func(t *testing.T) {
		h := booted(t, nil)
		h.workers[0].exit(exited(1))
		w := h.workers[2]
		failed := wire.Event{Event: wire.EventForkFailed, Slot: w.boot.Slot, Age: w.boot.Age, Error: "ENOMEM"}
		h.post(serverSaid{1, failed})
		h.wantLine("ERROR Worker could not be forked: ENOMEM")
		if !w.closed {
			t.Error("its socket is open")
		}
		h.pass(time.Second)
		h.wantAlive(2)
	})
	t.Run("in the master", func(t *testing.T) {
		h := booted(t, nil)
		h.server().forkErrors = []error{errors.New("too many open files")}
		h.workers[0].exit(exited(1))
		h.wantAlive(1)
		h.wantLine("ERROR Worker could not be started, the next attempt is in a second: too many open files")
		h.pass(time.Second)
		h.wantAlive(2)
	})
}

func TestNoFreeSlot(t *testing.T) {
	h := booted(t, nil)
	for i := range h.a.slots {
		h.a.slots[i] = true
	}
	h.signal(unix.SIGTTIN)
	h.wantAlive(2)
	h.wantLine("ERROR No worker can be started: all 1024 slots are taken until old workers end.")
	h.a.slots[scoreboard.MaxSlots-1] = false
	h.pass(time.Second)
	h.wantAlive(3)
}

// With reuse_port the kernel gives connections to the socket of a seat, whether it has a worker or not: while others
// serve they are not to wait for a worker that does not come.
func TestVacantSeatHasNoSocket(t *testing.T) {
	for workers, left := range map[int]int{2: 1, 1: 1} {
		h := booted(t, func(c *config.Config) { c.Workers, c.ReusePort, c.Timeout = workers, true, 0 })
		descriptors := h.a.current.sockets[0].bySeat
		h.workers[0].exit(killed(unix.SIGKILL))
		for i, want := range []int{workers, left} { // pauses of 1 s and 2 s
			h.youngest().forked()
			h.youngest().failed(wire.ExitBootError, "ValueError")
			if len(descriptors) != want {
				t.Errorf("%d workers, failure %d: %d sockets, want %d", workers, i+2, len(descriptors), want)
			}
			h.pass(time.Duration(i+1) * time.Second)
		}
		if len(descriptors) != workers {
			t.Errorf("%d workers: the next one has %d sockets", workers, len(descriptors))
		}
	}
}
