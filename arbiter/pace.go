package arbiter

import "time"

const (
	// importPeriod is how often the master looks whether a worker that boots is busy, while others wait for it.
	importPeriod = 100 * time.Millisecond
	// importPatience is how long they wait for one that is busy all the time.
	importPatience = 10 * time.Second
)

// boot is what a worker does until it is ready, as the master sees it from outside.
type boot struct {
	began  time.Duration
	busy   bool          // it uses a processor, or would if it got one
	sum    time.Duration // for how long it has, when the master looked last
	lookAt time.Duration // when it looks again
}

// mayBoot reports whether g may start one more worker now: no more of them than there are processors import the
// application at once. More would only slow each other down, so that the first answer came as late as the last. As long
// as nobody serves, one processor is left over: for what the first import makes others do, and for the first request.
// A worker that waits for something, a database or a file server, leaves its processor to the next. After --preload a
// boot costs next to nothing.
func (a *arbiter) mayBoot(g *generation) bool {
	if g.config.PreloadApp {
		return true
	}
	importing, serving := 0, false
	for _, w := range a.workers {
		if a.imports(w) {
			importing++
		}
		serving = serving || w.ready
	}
	limit := a.env.processors()
	if !serving {
		limit = max(1, limit-1)
	}
	return importing < limit
}

// imports reports whether w boots and has been busy with it of late.
func (a *arbiter) imports(w *worker) bool {
	if w.ready || w.exited || w.stopping || a.env.now() >= w.boot.began+importPatience {
		return false
	}
	if a.due(w.boot.lookAt) {
		sum := a.env.busy(w.pid)
		w.boot.busy = sum-w.boot.sum >= importPeriod/4
		w.boot.sum, w.boot.lookAt = sum, a.after(importPeriod)
	}
	return w.boot.busy
}
