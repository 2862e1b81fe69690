package arbiter

import "time"

// delayStop begins drain_delay, and reports whether there is one: the server goes on as before, but says with every
// answer that its connection ends, and to systemd that it stops. A second signal, or the end of the delay, stops it.
func (a *arbiter) delayStop() bool {
	delay := time.Duration(0)
	if a.phase == serving {
		delay = seconds(a.current.config.DrainDelay)
	}
	if delay == 0 || a.leaving() {
		return false
	}
	a.shutdown.at = a.after(delay)
	a.log.Info("Stopping in %s (drain_delay); until then connections are still accepted.", delay)
	a.reload.queued = false
	if a.next != nil {
		a.abandonReload("the server is about to stop")
	}
	a.tellStopping()
	for _, w := range a.workers {
		w.link.announce()
	}
	return true
}

// leaving reports whether a drain_delay runs.
func (a *arbiter) leaving() bool { return a.shutdown.at != 0 && a.phase == serving }

// checkDelay stops the server when its drain_delay is over.
func (a *arbiter) checkDelay() {
	if a.leaving() && a.due(a.shutdown.at) {
		a.stop(true)
	}
}
