package workers

import (
	"runtime"
	"time"

	"github.com/pyhost/pyhost/workers/scoreboard"
)

// heartbeat tells the arbiter that a worker with several threads lives. As in gunicorn, a long request is no reason to
// kill such a worker; an interpreter that nobody can enter is (C code that keeps the GIL).
type heartbeat struct {
	w *worker
}

// run beats once a period, as long as the GIL can be had.
func (h *heartbeat) run(stop <-chan struct{}) {
	runtime.LockOSThread() // the probe has a Python thread state of its own
	ticker := time.NewTicker(h.w.period)
	defer ticker.Stop()
	for h.w.gil.visit(h.w.interpreter.probe) {
		h.w.slot.Beat(scoreboard.Now())
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
	}
}
