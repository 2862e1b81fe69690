package arbiter

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

func TestStop(t *testing.T) {
	tests := []struct {
		name     string
		signal   unix.Signal
		line     string
		worker   unix.Signal
		graceful bool
	}{
		{"TERM", unix.SIGTERM, "INFO Handling signal: term", unix.SIGTERM, true},
		{"INT", unix.SIGINT, "INFO Handling signal: int", unix.SIGQUIT, false},
		{"QUIT", unix.SIGQUIT, "INFO Handling signal: quit", unix.SIGQUIT, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := booted(t, nil)
			h.signal(test.signal)
			if h.open["127.0.0.1:8000"] {
				t.Error("the master still listens")
			}
			if !h.server().told {
				t.Error("the forkserver was not told to exit")
			}
			h.server().end(exited(0))
			for _, w := range h.workers {
				w.wantSignals(test.worker)
				if !slices.Equal(w.stops, []bool{test.graceful}) {
					t.Errorf("stop commands %v", w.stops)
				}
				if h.a.phase == ended {
					t.Fatal("the master did not wait for its workers")
				}
				w.exit(exited(0))
			}
			h.wantEnded(exitOK)
			if !slices.Equal(h.lines, []string{test.line, "INFO Shutting down: Master"}) {
				t.Errorf("the log says %q", h.lines)
			}
			if last := h.notes[len(h.notes)-1]; last != "STOPPING=1" {
				t.Errorf("systemd heard %q last", last)
			}
		})
	}
}

func TestGracefulTimeout(t *testing.T) {
	h := booted(t, nil)
	h.signal(unix.SIGTERM)
	h.server().end(exited(0))
	h.workers[0].exit(exited(0))
	h.pass(20*time.Second - time.Millisecond)
	h.workers[1].wantSignals(unix.SIGTERM)
	h.pass(time.Millisecond)
	h.workers[1].wantSignals(unix.SIGTERM, unix.SIGKILL)
	h.workers[1].exit(killed(unix.SIGKILL))
	h.wantEnded(exitOK)
	h.wantLine("WARNING Worker graceful timeout (pid:103)")
}

func TestGracefulTimeoutZero(t *testing.T) {
	h := booted(t, func(c *config.Config) { c.GracefulTimeout = 0 })
	h.signal(unix.SIGTERM)
	h.workers[0].wantSignals(unix.SIGTERM, unix.SIGKILL)
}

func TestDoubleSignal(t *testing.T) {
	for _, second := range []unix.Signal{unix.SIGINT, unix.SIGQUIT} {
		t.Run(unix.SignalName(second), func(t *testing.T) {
			h := booted(t, nil)
			h.signal(unix.SIGTERM)
			h.signal(unix.SIGTERM) // changes nothing
			h.server().end(exited(0))
			h.pass(time.Second)
			h.signal(second)
			h.wantLine("INFO Quick shutdown requested")
			w := h.workers[0]
			w.wantSignals(unix.SIGTERM, unix.SIGQUIT)
			if !slices.Equal(w.stops, []bool{true, false}) {
				t.Errorf("stop commands %v", w.stops)
			}
			h.pass(time.Second)
			h.signal(second) // a third one does not buy time
			h.pass(time.Second)
			w.wantSignals(unix.SIGTERM, unix.SIGQUIT, unix.SIGKILL)
		})
	}
}

func TestStopWhileBooting(t *testing.T) {
	t.Run("forkserver", func(t *testing.T) {
		h := newHarness(t, nil).start()
		h.signal(unix.SIGTERM)
		if s := h.server(); len(s.signals) != 1 || s.signals[0] != unix.SIGKILL {
			t.Errorf("the booting forkserver was sent %v: it reads no commands", s.signals)
		}
		h.server().end(killed(unix.SIGKILL))
		h.wantEnded(exitOK)
	})
	t.Run("worker", func(t *testing.T) {
		h := newHarness(t, nil).start()
		h.post(serverSaid{1, wire.Event{Event: wire.EventReady}})
		first, second := h.workers[0], h.workers[1]
		first.forked()
		h.signal(unix.SIGTERM)
		first.wantSignals(unix.SIGTERM) // it has no requests to finish
		second.forked()                 // its fork was under way
		second.wantSignals(unix.SIGTERM)
		h.server().end(exited(0))
		first.exit(exited(0))
		second.failed(3, "interrupted") // no boot failure any more
		h.wantEnded(exitOK)
	})
}

// A worker may have requests before the master has read that it is ready.
func TestStopBeforeReadyIsHeard(t *testing.T) {
	h := newHarness(t, nil).start()
	h.post(serverSaid{1, wire.Event{Event: wire.EventReady}})
	w := h.workers[0]
	w.forked()
	h.a.board.Slot(w.boot.Slot).SetState(scoreboard.Ready)
	h.signal(unix.SIGTERM)
	w.wantSignals(unix.SIGTERM)
	if !slices.Equal(w.stops, []bool{true}) {
		t.Errorf("stop commands %v", w.stops)
	}
}

func TestForkserverThatDoesNotLeave(t *testing.T) {
	h := booted(t, nil)
	h.signal(unix.SIGTERM)
	h.pass(leaveGrace)
	if s := h.server(); len(s.signals) != 1 || s.signals[0] != unix.SIGKILL {
		t.Errorf("it was sent %v", s.signals)
	}
}

// A forkserver whose own processes serve the workers may stay as long as these.
func TestForkserverThatLingers(t *testing.T) {
	h := booted(t, nil)
	h.signal(unix.SIGTERM)
	h.post(serverSaid{1, wire.Event{Event: wire.EventLingers}})
	h.pass(seconds(h.a.current.config.GracefulTimeout))
	s := h.server()
	if len(s.signals) != 0 {
		t.Errorf("it was sent %v at once", s.signals)
	}
	h.pass(leaveGrace)
	if len(s.signals) != 1 || s.signals[0] != unix.SIGKILL {
		t.Errorf("it was sent %v", s.signals)
	}
}

func TestSignalsThatStopNothing(t *testing.T) {
	h := booted(t, nil)
	h.signal(unix.SIGUSR1)
	h.wantLine("REOPEN ")
	for _, w := range h.wantAlive(2) {
		w.wantSignals(unix.SIGUSR1)
	}
}

func TestScale(t *testing.T) {
	h := booted(t, func(c *config.Config) { c.Timeout = 0 })
	h.signal(unix.SIGTTIN)
	h.bootAll()
	h.wantAlive(3)
	h.signal(unix.SIGTTOU)
	oldest := h.workers[0]
	oldest.wantSignals(unix.SIGTERM)
	oldest.exit(exited(0))
	h.wantAlive(2)
	h.signal(unix.SIGTTOU)
	h.workers[1].exit(exited(0))
	h.signal(unix.SIGTTOU) // the last one stays
	h.wantAlive(1)
	h.workers[2].wantSignals()
	for range MaxWorkers + 5 {
		h.signal(unix.SIGTTIN)
	}
	h.wantAlive(MaxWorkers)
	h.wantLine("WARNING There are 512 workers already, which is the most that one master runs.")
}

// A seat that waits after crashes is given up before a worker that serves.
func TestScaleDownTakesVacantSeat(t *testing.T) {
	h := booted(t, nil)
	h.workers[0].exit(killed(unix.SIGSEGV))
	h.workers[2].forked()
	h.workers[2].exit(killed(unix.SIGSEGV))
	h.wantAlive(1)
	h.signal(unix.SIGTTOU)
	h.workers[1].wantSignals()
	h.pass(20 * time.Second)
	h.wantAlive(1)
}

// With reuse_port the kernel sends connections to every open socket: one without a worker would let them wait for ever.
func TestScaleClosesSocketsOfSeats(t *testing.T) {
	h := booted(t, func(c *config.Config) { c.ReusePort, c.Timeout = true, 0 })
	h.reload = func() (*config.Config, error) {
		return testConfig(func(c *config.Config) { c.ReusePort, c.Timeout, c.Workers = true, 0, 3 }), nil
	}
	wantSeats := func(want ...int) {
		t.Helper()
		if got := slices.Sorted(maps.Keys(h.a.current.sockets[0].bySeat)); !slices.Equal(got, want) {
			t.Errorf("open are the sockets of seats %v, want %v", got, want)
		}
	}
	wantSeats(0, 1)
	h.signal(unix.SIGTTIN)
	wantSeats(0, 1, 2)
	h.signal(unix.SIGTTOU) // the oldest worker sits on seat 0
	wantSeats(1, 2)
	h.signal(unix.SIGTTIN)
	wantSeats(0, 1, 2) // the lowest free one is taken again
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.post(serverSaid{2, wire.Event{Event: wire.EventReady}})
	h.signal(unix.SIGTTOU) // the other generation sits on the seats that each gives up
	wantSeats(0, 1, 2)
	h.bootAll()
	wantSeats(1, 2)
}
