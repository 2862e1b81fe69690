package arbiter

import "github.com/pyhost/pyhost/config"

// A rolling reload (reload_strategy) starts one worker of the new generation. When that is ready the new generation is
// the current one, and the old one fades: worker after worker makes room for a new one. There is never more than one
// worker too many, counting those that still finish their requests.

// size is how many workers g is to have.
func (g *generation) size() int { return len(g.seats) + g.left }

// rollOut leaves one seat open, if the reload of g is to be a rolling one.
func (a *arbiter) rollOut(g *generation) {
	// While another one is stuck, which this one may mend, the old workers that are left go on until all new are ready.
	if g.config.ReloadStrategy == config.ReloadRolling && len(g.seats) > 1 && a.fading == nil {
		g.left = len(g.seats) - 1
		g.seats = g.seats[:1]
	}
}

// checkRolling takes the next step of a rolling reload, when the last one is done.
func (a *arbiter) checkRolling() {
	g, old := a.current, a.fading
	switch {
	case old == nil || !g.ready():
	case g.left == 0:
		a.endRolling()
	case len(a.workers) > g.size():
		a.makeRoom(old)
	default:
		g.left--
		g.addSeat()
	}
}

// makeRoom stops one worker of the generation that fades. With reuse_port it is one whose socket a new worker serves.
func (a *arbiter) makeRoom(old *generation) {
	for _, w := range a.workers {
		if w.stopping {
			return // its room is the next one's
		}
	}
	for _, s := range a.current.seats {
		for _, other := range old.seats {
			if other.index == s.index {
				old.seats = without(old.seats, other)
				a.vacate(other, true)
				return
			}
		}
	}
	if len(old.seats) > 0 {
		a.dropSeat(old)
	}
}

// endRolling stops what is left of the old generation.
func (a *arbiter) endRolling() {
	old := a.fading
	a.fading = nil
	a.retire(old, true)
	a.trimSockets()
	a.reloaded()
}

// rollingStuck reports whether the new workers of a rolling reload fail, so that another reload may mend it.
func (a *arbiter) rollingStuck() bool {
	for _, s := range a.current.seats {
		if s.worker == nil && s.brake.failures > 0 {
			return true
		}
	}
	return false
}
