package arbiter

// delayStop begins drain_delay, or the moment that connections need which the kernel keeps back, and reports whether
// there is one: the server goes on as before, but says with every answer that its connection ends, and to systemd that
// it stops. A second signal, or the end of the delay, stops it; but supervisors often send TERM twice, and what the
// kernel keeps back has its moment all the same.
func (a *arbiter) delayStop() bool {
	if a.leaving() {
		if a.env.now() >= a.shutdown.earliest {
			return false
		}
		a.shutdown.at = a.shutdown.earliest
		return true
	}
	if a.phase != serving {
		return false
	}
	delay := seconds(a.current.config.DrainDelay)
	if delay > 0 {
		a.log.Info("Stopping in %s (drain_delay); until then connections are still accepted.", delay)
	}
	if a.isLast() && a.env.letThrough(a.current.sockets.own().all()) {
		delay = max(delay, keptBackGrace)
		a.shutdown.earliest = a.after(keptBackGrace)
	}
	if delay == 0 {
		return false
	}
	a.shutdown.at = a.after(delay)
	a.reload.queued = false
	if a.next != nil {
		a.dropNext()
		a.log.Info("The server is about to stop: the reload is given up.") // as is wished for: no error
	}
	a.tellStopping()
	for _, w := range a.workers {
		w.link.announce()
	}
	return true
}

// isLast reports whether no other master serves on the same sockets after this one.
func (a *arbiter) isLast() bool { return a.upgrade.successor == nil && a.upgrade.predecessor == 0 }

// leaving reports whether a drain_delay runs.
func (a *arbiter) leaving() bool { return a.shutdown.at != 0 && a.phase == serving }

// checkDelay stops the server when its drain_delay is over.
func (a *arbiter) checkDelay() {
	if a.leaving() && a.due(a.shutdown.at) {
		a.stop(true)
	}
}
