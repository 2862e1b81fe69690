package arbiter

import (
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"golang.org/x/sys/unix"
)

func scaling1to3(cfg *config.Config) {
	cfg.Workers, cfg.MinWorkers, cfg.MaxWorkers = 1, 1, 3
}

// crewOf makes the workers that are alive report threads each, of which busy run the application.
func (h *harness) crewOf(threads, busy int) {
	for _, w := range h.alive() {
		slot := h.a.board.Slot(w.boot.Slot)
		slot.SetState(scoreboard.Ready)
		slot.SetCrew(w.boot.Generation, threads)
		slot.Add(busy - slot.Busy())
		w.beat()
	}
}

// waitSince lets the workers report a request that has waited for d; 0 is none.
func (h *harness) waitSince(d time.Duration) {
	for _, w := range h.alive() {
		if d == 0 {
			h.a.board.Slot(w.boot.Slot).SetWaiting(0, 0)
			continue
		}
		h.a.board.Slot(w.boot.Slot).SetWaiting(1, int64(h.clock-d))
	}
}

func TestScalingFollowsAQueue(t *testing.T) {
	for name, press := range map[string]func(h *harness, on bool){
		"in a worker": func(h *harness, on bool) {
			if h.waitSince(0); on {
				h.waitSince(150 * time.Millisecond)
			}
		},
		"in the backlog": func(h *harness, on bool) { h.backlog = on },
	} {
		t.Run(name, func(t *testing.T) {
			h := booted(t, scaling1to3)
			for _, want := range []int{2, 3} {
				h.crewOf(1, 1)
				press(h, true)
				h.pass(150 * time.Millisecond)
				if len(h.workers) != want-1 {
					t.Fatalf("%d workers after 0.15 s: one slow moment is enough", len(h.workers))
				}
				h.pass(time.Second)
				if len(h.workers) != want {
					t.Fatalf("%d workers, want %d, and no more while one boots", len(h.workers), want)
				}
				press(h, false)
				h.bootAll()
			}
			h.crewOf(1, 1)
			press(h, true)
			h.pass(time.Minute)
			h.wantAlive(3)
			h.wantLine("INFO Scaling up to 3 workers: requests wait for a thread.")
		})
	}
}

// A connection that arrives while somebody is free is about to be taken.
func TestScalingIgnoresABacklogThatSomebodyWillTake(t *testing.T) {
	h := booted(t, scaling1to3)
	h.crewOf(2, 1)
	h.backlog = true
	h.pass(5 * time.Second)
	h.wantAlive(1)
}

// The fewer that would be left must be less than half busy, over half a minute.
func TestScalingShrinksWhenIdle(t *testing.T) {
	for _, tt := range []struct{ busy, want int }{{0, 1}, {1, 2}} {
		h := booted(t, func(cfg *config.Config) { cfg.Workers, cfg.MinWorkers, cfg.MaxWorkers = 2, 1, 3 })
		h.crewOf(1, 0)
		h.a.board.Slot(h.alive()[0].boot.Slot).Add(tt.busy)
		first := h.workers[0]
		h.pass(28 * time.Second)
		if first.stopped() {
			t.Error("a worker was stopped too early")
		}
		h.pass(4 * time.Second)
		for range 4 {
			for _, w := range h.alive() {
				w.beat()
			}
			h.pass(10 * time.Second)
		}
		if first.stopped() {
			first.exit(0)
		}
		h.wantAlive(tt.want)
	}
}

// Requests that have to wait begin the half minute anew.
func TestScalingDoesNotShrinkAfterAQueue(t *testing.T) {
	h := booted(t, func(cfg *config.Config) { cfg.Workers, cfg.MinWorkers, cfg.MaxWorkers = 2, 1, 2 })
	h.crewOf(1, 0)
	h.pass(25 * time.Second)
	h.crewOf(1, 0)
	h.waitSince(200 * time.Millisecond)
	h.pass(150 * time.Millisecond)
	h.waitSince(0)
	h.pass(25 * time.Second)
	if h.workers[0].stopped() || h.workers[1].stopped() {
		t.Error("a worker was stopped half a minute after the last look but one")
	}
}

// TTIN and TTOU stay within the bounds, and a reload keeps what the load made necessary.
func TestScalingBounds(t *testing.T) {
	h := booted(t, scaling1to3)
	h.signal(unix.SIGTTOU)
	h.wantAlive(1)
	for range 4 {
		h.signal(unix.SIGTTIN)
	}
	h.bootAll()
	h.wantAlive(3)
	h.wantLine("WARNING There are 3 workers; min_workers is 1 and max_workers 3.")
	h.reload = func() (*config.Config, error) {
		return testConfig(func(cfg *config.Config) { cfg.Workers, cfg.MinWorkers, cfg.MaxWorkers = 1, 1, 2 }), nil
	}
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.bootAll()
	for _, w := range h.workers[:3] {
		w.exit(0)
	}
	h.wantAlive(2)
}
