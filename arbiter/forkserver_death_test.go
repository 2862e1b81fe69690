package arbiter

import (
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

func TestForkserverDeath(t *testing.T) {
	h := booted(t, func(c *config.Config) { c.Timeout = 0 })
	h.pass(time.Minute)
	h.server().end(killed(unix.SIGKILL))
	h.wantLine("ERROR Forkserver (pid:101) was sent SIGKILL!")
	if len(h.servers) != 2 || h.server().order.config != h.a.options.Config {
		t.Fatalf("no new forkserver; log:\n%s", h.log())
	}
	workers := h.wantAlive(2)
	for _, w := range workers {
		w.wantSignals()
	}
	// A worker of the dead one belongs to the master; its replacement comes from the new one.
	workers[0].exit(exited(0))
	h.wantAlive(1)
	h.bootAll()
	h.wantAlive(2)
	if last := h.workers[len(h.workers)-1]; last.server != h.server() || last.boot.Generation != 1 {
		t.Errorf("the replacement is %+v", last.boot)
	}
}

// The forkserver may die between reaping a worker and telling so.
func TestForkserverTakesStatusAlong(t *testing.T) {
	h := booted(t, nil)
	s := h.server()
	h.post(workerHungUp{h.workers[0].boot.Age})
	h.children[s.processID] = &fakeProcess{status: killed(unix.SIGKILL), ended: true}
	h.children[h.workers[1].pid] = &fakeProcess{} // only the other one is there to be adopted
	h.post(serverHungUp{launch: s.order.launch})
	h.a.reap()
	h.run()
	h.wantLine("WARNING Worker (pid:102) has gone; its exit status is unknown")
	h.bootAll()
	h.wantAlive(2)
}

// A worker that was asked for when the forkserver died may or may not exist, and nobody can tell its pid.
func TestForkserverDiesWhileForking(t *testing.T) {
	h := booted(t, func(c *config.Config) { c.Timeout = 0 })
	h.workers[1].exit(exited(1))
	lost := h.workers[2]
	h.server().end(killed(unix.SIGKILL))
	if !lost.hungUp {
		t.Error("the lost worker was not told to leave")
	}
	h.bootAll()
	h.wantAlive(3) // the lost one keeps its slot for as long as it may live
	h.post(workerHungUp{lost.boot.Age})
	h.wantAlive(2)
	if !lost.closed {
		t.Error("its socket is open")
	}
}

func TestForkserverCrashLoop(t *testing.T) {
	h := booted(t, func(c *config.Config) { c.Timeout = 0 })
	h.pass(time.Minute)
	failed := wire.Event{Event: wire.EventFailed, Code: 3, Error: "boom"}
	h.server().end(killed(unix.SIGKILL))
	for i, pause := range []time.Duration{1, 2, 4, 8, 16, 30} {
		count := len(h.servers)
		h.post(serverSaid{h.server().order.launch, failed})
		h.server().end(exited(3))
		h.pass(pause*time.Second - time.Millisecond)
		if len(h.servers) != count {
			t.Fatalf("death %d: a new forkserver came too early", i)
		}
		h.pass(time.Millisecond)
		if len(h.servers) != count+1 {
			t.Fatalf("death %d: no new forkserver", i)
		}
	}
	h.wantAlive(2)
	h.wantLine("WARNING A forkserver failed 7 times in a row; the next one starts in 30s.")
}

// A forkserver that has hung up is of no use: it is made to end, if it does not by itself.
func TestForkserverHangsUpAndStays(t *testing.T) {
	h := booted(t, nil)
	h.post(serverHungUp{launch: 1, err: errBroken})
	h.wantLine("ERROR Forkserver (pid:101): line 3: syntax error")
	h.pass(leaveGrace)
	if s := h.server(); len(s.signals) != 1 || s.signals[0] != unix.SIGKILL {
		t.Errorf("it was sent %v", s.signals)
	}
}
