package workers

import (
	"errors"

	"github.com/pyhost/pyhost/workers/wire"
)

// tell sends the master an event. A master that is gone is noticed by whoever reads from it.
func (w *worker) tell(event *wire.Event) error {
	w.controlMu.Lock()
	defer w.controlMu.Unlock()
	if w.control == nil {
		return errNoMaster
	}
	return wire.Send(w.control, event)
}

var errNoMaster = errors.New("there is no master")

// retire asks the master for another worker in this one's place, which is to leave when that one is ready.
func (w *worker) retire(reason string) {
	_ = w.tell(&wire.Event{Event: wire.EventRetire, Error: reason})
}
