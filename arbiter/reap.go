package arbiter

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// exitStatus is the wait status in a forkserver's message.
func exitStatus(raw int) unix.WaitStatus { return unix.WaitStatus(uint32(raw)) }

// reap collects the children that have ended: forkservers, workers whose forkserver has gone, and orphans of any kind.
func (a *arbiter) reap() {
	if a.reload.reading {
		// Somebody else waits for a child of this process: finding libpython may run the interpreter. Leave it to them.
		a.reapOwn()
		return
	}
	for {
		pid, status, err := a.env.wait(-1)
		if pid <= 0 || err != nil {
			return
		}
		a.reaped(pid, status)
	}
}

// reapOwn collects only processes that the master knows.
func (a *arbiter) reapOwn() {
	var pids []int
	for _, s := range a.servers {
		if !s.reaped {
			pids = append(pids, s.pid)
		}
	}
	for _, w := range a.workers {
		if w.server == nil && !w.exited {
			pids = append(pids, w.pid)
		}
	}
	if s := a.upgrade.successor; s != nil {
		pids = append(pids, s.pid())
	}
	for _, pid := range pids {
		if got, status, err := a.env.wait(pid); err == nil && got == pid {
			a.reaped(pid, status)
		}
	}
}

func (a *arbiter) reaped(pid int, status unix.WaitStatus) {
	for _, s := range a.servers {
		if s.pid == pid && !s.reaped {
			s.reaped, s.status = true, status
			s.settleAt = a.after(settleGrace)
			return
		}
	}
	if w := a.workerByPID(pid); w != nil {
		a.workerExited(w, status)
		return
	}
	if s := a.upgrade.successor; s != nil && pid == s.pid() {
		a.successorEnded(status)
		return
	}
	// A process that a worker left behind, or a worker whose forkserver did not live to tell its pid.
	a.log.Debug("Reaped an orphan (pid:%d)", pid)
}

// lostRequests are the requests that a worker took with it, as a text for below the line of its end. Those of one that
// timed out have been told.
func (a *arbiter) lostRequests(w *worker) string {
	if w.aborted {
		return ""
	}
	lost := ""
	for _, r := range a.board.Running(w.slot) {
		lost += "\n" + r.DescribeLost(int64(a.env.now()))
	}
	return lost
}

// logExit reports the end of a worker in gunicorn's words and levels, with the requests that were lost with it.
func (a *arbiter) logExit(w *worker, lost string) {
	how := describe(w.status)
	switch {
	case w.pid == 0:
	case w.status.Exited() && w.status.ExitStatus() == 0 && w.graceful && w.told != "" && lost != "":
		a.log.Warning("Worker graceful timeout (pid:%d)%s", w.pid, w.told) // it has left by itself, but not what it ran
	case w.status.Exited() && w.status.ExitStatus() == 0 && (lost == "" || w.stopping): // it has drained
	case w.status.Exited() && w.failure != nil: // the cause has been told
		a.log.Debug("Worker (pid:%d) %s.%s", w.pid, how, lost)
	case w.status.Exited():
		a.log.Error("Worker (pid:%d) %s.%s", w.pid, how, lost)
	case w.status.Signaled() && w.status.Signal() == unix.SIGKILL && !w.killed:
		a.log.Error("Worker (pid:%d) %s %s%s", w.pid, how, a.killer(), lost)
	case w.status.Signaled() && w.status.Signal() == unix.SIGKILL:
		a.log.Error("Worker (pid:%d) %s%s", w.pid, how, lost)
	case w.status.Signaled() && w.status.Signal() == unix.SIGTERM:
		a.log.Info("Worker (pid:%d) %s%s", w.pid, how, lost)
	default:
		a.log.Warning("Worker (pid:%d) %s%s", w.pid, how, lost)
	}
}

// describe says how a process ended: "exited with code 3", "was sent SIGKILL!".
func describe(status unix.WaitStatus) string {
	switch {
	case status.Exited():
		return fmt.Sprintf("exited with code %d", status.ExitStatus())
	case status.Signaled():
		name := unix.SignalName(status.Signal())
		if name == "" {
			name = fmt.Sprintf("signal %d", int(status.Signal()))
		}
		return fmt.Sprintf("was sent %s!", name)
	}
	return "has gone; its exit status is unknown"
}
