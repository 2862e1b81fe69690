package arbiter

import (
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

func TestTimeout(t *testing.T) {
	h := booted(t, func(c *config.Config) { c.Timeout = 3 })
	stuck, healthy := h.workers[0], h.workers[1]
	for range 29 {
		h.pass(100 * time.Millisecond)
		healthy.beat()
	}
	stuck.wantSignals()
	h.pass(100 * time.Millisecond)
	stuck.wantSignals(unix.SIGABRT)
	h.pass(999 * time.Millisecond)
	stuck.wantSignals(unix.SIGABRT)
	h.pass(time.Millisecond)
	stuck.wantSignals(unix.SIGABRT, unix.SIGKILL)
	h.wantLine("CRITICAL WORKER TIMEOUT (pid:102)") // it had its time to tell more
	stuck.exit(killed(unix.SIGKILL))
	h.wantLine("ERROR Worker (pid:102) was sent SIGKILL!") // not "Perhaps out of memory?": the master did it
	healthy.wantSignals()
	h.wantAlive(2)
}

func TestTimeoutEndsWithAbort(t *testing.T) {
	h := booted(t, func(c *config.Config) { c.Timeout = 3 })
	stuck := h.workers[0]
	h.pass(3 * time.Second)
	h.post(workerSaid{stuck.boot.Age, wire.Event{Event: wire.EventAborted, Traceback: "GET /\nThread MainThread"}})
	h.wantLine("CRITICAL WORKER TIMEOUT (pid:102)\nGET /\nThread MainThread")
	stuck.exit(exited(1))
	h.pass(2 * time.Second)
	stuck.wantSignals(unix.SIGABRT)
	h.wantLine("ERROR Worker (pid:102) exited with code 1.")
}

func TestNoTimeout(t *testing.T) {
	t.Run("off", func(t *testing.T) {
		h := booted(t, func(c *config.Config) { c.Timeout = 0 })
		h.pass(time.Hour)
		h.workers[0].wantSignals()
	})
	t.Run("booting", func(t *testing.T) {
		h := newHarness(t, func(c *config.Config) { c.Timeout = 3 }).start()
		h.post(serverSaid{1, wire.Event{Event: wire.EventReady}})
		h.workers[0].forked()
		h.workers[0].beat()
		h.pass(time.Hour)
		h.workers[0].wantSignals()
	})
	t.Run("stopping", func(t *testing.T) {
		h := booted(t, func(c *config.Config) { c.Timeout, c.GracefulTimeout = 3, 60 })
		h.signal(unix.SIGTERM)
		h.pass(59 * time.Second)
		h.workers[0].wantSignals(unix.SIGTERM)
	})
}

// While the whole server stands still (a paused container, Ctrl-Z) the clock goes on, and nobody can beat.
func TestTimeoutAndAStandstill(t *testing.T) {
	h := booted(t, func(c *config.Config) { c.Timeout = 3 })
	stuck, healthy := h.workers[0], h.workers[1]
	h.pass(2 * time.Second)
	h.clock += time.Minute
	h.run()
	stuck.wantSignals()
	healthy.wantSignals()
	healthy.beat()
	h.pass(999 * time.Millisecond)
	stuck.wantSignals()
	h.pass(time.Millisecond)
	stuck.wantSignals(unix.SIGABRT)
	healthy.wantSignals()
}
