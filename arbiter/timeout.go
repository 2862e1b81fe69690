package arbiter

import (
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// abortGrace is how long a worker that timed out may take over SIGABRT before SIGKILL.
const abortGrace = time.Second

// stallMin is how late the master must be to take it that the whole server stood still: a container that was paused,
// Ctrl-Z, a virtual machine that was moved.
const stallMin = time.Second

// stall is the last time for which the server stood still.
type stall struct{ from, until time.Duration }

// noticeStall comes before anything is judged by the clock, which went on.
func (a *arbiter) noticeStall() {
	now := a.env.now()
	if a.wake > 0 && now-a.wake > stallMin {
		a.stall = stall{a.looked, now}
	}
	a.looked = now
}

// forgive moves a moment before a stall to a later one: what was left of a time then is left of it still.
func (s stall) forgive(t time.Duration) time.Duration {
	if t >= s.until {
		return t
	}
	return min(t+s.until-s.from, s.until)
}

// checkTimeouts aborts the workers whose heartbeat has stopped for longer than the timeout setting, 0 meaning never.
// As in gunicorn, the import of the application is not covered: a worker counts from the moment when it is ready.
// Neither is stopping, which graceful_timeout bounds.
func (a *arbiter) checkTimeouts() {
	for _, w := range a.workers {
		timeout := seconds(w.generation.config.Timeout)
		if timeout == 0 || !w.ready || w.stopping || w.aborted || w.exited || w.pid == 0 {
			continue
		}
		beat := max(time.Duration(a.board.Slot(w.slot).LastBeat()), w.readyAt)
		if !a.due(a.stall.forgive(beat) + timeout) {
			continue
		}
		w.aborted = true
		a.env.kill(w.pid, unix.SIGABRT)
		w.killBy(a.after(abortGrace))
	}
}

// reportTimeout logs a worker that timed out, once: with what it told about itself, or, if it does not come to that,
// with what the scoreboard shows.
func (a *arbiter) reportTimeout(w *worker, told string) {
	if told != "" && w.stopping && !w.aborted {
		w.told = "\n" + told // for the record of its end, if it comes to that
	}
	if !w.aborted || w.reported {
		return
	}
	w.reported = true
	if told == "" {
		for _, r := range a.board.Running(w.slot) {
			told += "\n" + r.Describe(int64(a.env.now()))
		}
		told = strings.TrimPrefix(told, "\n")
	}
	if told != "" {
		told = "\n" + told
	}
	a.log.Critical("WORKER TIMEOUT (pid:%d)%s", w.pid, told)
}

// killOverdue ends by force what did not end in time.
func (a *arbiter) killOverdue() {
	for _, w := range a.workers {
		if w.exited || w.killed || w.pid == 0 || !a.due(w.killAt) {
			continue
		}
		if w.stopping && w.graceful {
			a.log.Warning("Worker graceful timeout (pid:%d)%s", w.pid, w.told)
		}
		w.killed = true
		a.reportTimeout(w, "")
		a.env.kill(w.pid, unix.SIGKILL)
	}
	for _, s := range a.servers {
		if !s.reaped && a.due(s.killAt) {
			s.killAt = 0
			a.env.kill(s.pid, unix.SIGKILL)
		}
	}
}
