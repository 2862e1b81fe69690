package arbiter

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// fakeMaster is a new master: successorLink.
type fakeMaster struct {
	processID int
	got       bequest
	signals   []unix.Signal
	released  bool
}

func (h *harness) predecessor() int { return h.parent }

func (h *harness) bound() {}

func (h *harness) watchdog() time.Duration { return h.watchdogPeriod }

func (h *harness) upgrade(b bequest) (successorLink, error) {
	if h.upgradeError != nil {
		return nil, h.upgradeError
	}
	m := &fakeMaster{processID: h.newPID(), got: b}
	h.children[m.processID] = &fakeProcess{}
	h.upgrades = append(h.upgrades, m)
	return m, nil
}

func (h *harness) commend(pid int) { h.commended = append(h.commended, pid) }

func (h *harness) introduce(s successorLink) { h.notify(fmt.Sprintf("MAINPID=%d", s.pid())) }

func (h *harness) heir() successorLink {
	if len(h.heirs) == 0 {
		return nil
	}
	m := h.heirs[0]
	h.children[m.processID] = &fakeProcess{}
	return m
}

func (h *harness) terminal() bool { return h.onTerminal }

// masterEnds ends a new master.
func (h *harness) masterEnds(m *fakeMaster, status unix.WaitStatus) {
	h.t.Helper()
	h.children[m.processID] = &fakeProcess{status: status, ended: true}
	h.a.reap()
	h.run()
}

func (m *fakeMaster) pid() int { return m.processID }

func (m *fakeMaster) release() { m.released = true }
