package arbiter

import (
	"testing"

	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

func retire(h *harness, w *fakeWorker) {
	h.post(workerSaid{w.boot.Age, wire.Event{Event: wire.EventRetire, Error: "it is stuck"}})
}

// A worker that asks for it serves until its replacement is ready.
func TestReplacementFirst(t *testing.T) {
	h := booted(t, nil)
	old := h.workers[0]
	retire(h, old)
	retire(h, old) // once is enough
	h.wantLine("INFO Replacing worker (pid:102): it is stuck")
	fresh := h.workers[len(h.workers)-1]
	if len(h.workers) != 3 || fresh == old {
		t.Fatalf("%d workers were started", len(h.workers))
	}
	fresh.forked()
	old.wantSignals()
	fresh.ready()
	old.wantSignals(unix.SIGTERM)
	old.exit(exited(0))
	h.wantAlive(2)
}

// It serves on when its replacement does not boot, and may end before it.
func TestReplacementFails(t *testing.T) {
	h := booted(t, nil)
	old := h.workers[0]
	retire(h, old)
	fresh := h.workers[len(h.workers)-1]
	fresh.forked()
	fresh.failed(wire.ExitBootError, "boom")
	old.wantSignals()
	old.exit(exited(1))
	h.signal(unix.SIGTERM)
	h.workers[1].wantSignals(unix.SIGTERM)
}

// A stop in the middle stops both.
func TestStopDuringReplacement(t *testing.T) {
	h := booted(t, nil)
	old := h.workers[0]
	retire(h, old)
	fresh := h.workers[len(h.workers)-1]
	fresh.forked()
	h.signal(unix.SIGTERM)
	old.wantSignals(unix.SIGTERM)
	fresh.wantSignals(unix.SIGTERM)
}
