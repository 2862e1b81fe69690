package workers

import (
	"runtime"
	"sync"
	"time"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/workers/scoreboard"
)

// heartbeat tells the arbiter that a worker with several threads lives. As in gunicorn, a long request is no reason to
// kill such a worker; an interpreter that nobody can enter is (C code that keeps the GIL).
type heartbeat struct {
	slot    *scoreboard.Slot
	period  time.Duration
	probing sync.Mutex // held while the GIL is being taken
}

// run beats once a period, as long as the GIL can be had.
func (h *heartbeat) run(stop <-chan struct{}) {
	runtime.LockOSThread() // the probe has a Python thread state of its own
	ticker := time.NewTicker(h.period)
	defer ticker.Stop()
	for {
		if !h.probing.TryLock() {
			return
		}
		embedpy.ProbeGIL()
		h.probing.Unlock()
		h.slot.Beat(scoreboard.Now())
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
	}
}

// stopProbing makes sure that no probe is under way, now or later: a thread that asks for the GIL while the interpreter
// ends is killed by Python.
func (h *heartbeat) stopProbing() { h.probing.Lock() }
