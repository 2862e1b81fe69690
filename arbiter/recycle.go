package arbiter

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/pyhost/pyhost/config"
)

// memoryPeriod is how often the resident memory of the workers is looked at, with max_worker_memory.
const memoryPeriod = 2 * time.Second

// recycling is what the master knows about the end of workers that are healthy but have run for long enough. One at a
// time gets an heir: a worker that boots beside it and takes its seat when it is ready. Only then does the old one
// stop, so nothing waits, and a new worker that does not boot costs nothing.
type recycling struct {
	memoryAt time.Duration // when to look at the memory next
}

// lifetime is how long a new worker may live, 0 meaning for ever. The jitter keeps workers that start together from
// ending together.
func lifetime(cfg *config.Config) time.Duration {
	if cfg.MaxWorkerLifetime == 0 {
		return 0
	}
	return seconds(cfg.MaxWorkerLifetime) + rand.N(seconds(cfg.MaxWorkerLifetimeJitter)+1)
}

// checkRecycling replaces the workers of the serving generation that are due. A reload that is under way replaces all
// of them anyway.
func (a *arbiter) checkRecycling() {
	g := a.current
	if g == nil || a.next != nil || a.fading != nil || !a.proven {
		return
	}
	a.checkLifetimes(g)
	a.checkMemory(g)
	for _, s := range g.seats {
		if s.heir != nil {
			return // never two at once
		}
	}
	for _, s := range g.seats {
		if s.worker != nil && s.worker.outdated != "" && g.server != nil && g.server.ready && !g.server.hungUp {
			a.spawnHeir(g, s)
			return
		}
	}
}

func (a *arbiter) spawnHeir(g *generation, s *seat) {
	if s.brake.until != 0 && !a.due(s.brake.until) {
		return
	}
	if heir := a.spawn(g, s); heir != nil {
		s.heir = heir
		a.log.Info("Replacing worker (pid:%d): %s", s.worker.pid, s.worker.outdated)
	}
}

// workerOutdated notes that w asks to be replaced.
func (a *arbiter) workerOutdated(w *worker, reason string) {
	if w.outdated == "" {
		w.outdated = reason
	}
}

func (a *arbiter) checkLifetimes(g *generation) {
	for _, s := range g.seats {
		if w := s.worker; w != nil && w.ready && w.lifetime > 0 && a.due(w.readyAt+w.lifetime) {
			a.workerOutdated(w, fmt.Sprintf("it has lived for %s (max_worker_lifetime)",
				(a.env.now()-w.readyAt).Round(time.Second)))
		}
	}
}

// checkMemory looks at the workers from outside, so that it costs no request anything.
func (a *arbiter) checkMemory(g *generation) {
	limit := int64(g.config.MaxWorkerMemory) << 20
	if limit == 0 || a.recycling.memoryAt != 0 && !a.due(a.recycling.memoryAt) {
		return
	}
	a.recycling.memoryAt = a.after(memoryPeriod)
	for _, s := range g.seats {
		if w := s.worker; w != nil && w.ready && w.outdated == "" {
			if resident := a.env.resident(w.pid); resident > limit {
				a.workerOutdated(w, fmt.Sprintf("it takes %d MiB of memory, more than %d (max_worker_memory)",
					resident>>20, g.config.MaxWorkerMemory))
			}
		}
	}
}

// succeed gives a seat to the heir that has become ready.
func (a *arbiter) succeed(s *seat) {
	old := s.worker
	s.worker, s.heir = s.heir, nil
	if old != nil {
		old.seat = nil
		a.stopWorker(old, true)
	}
}
