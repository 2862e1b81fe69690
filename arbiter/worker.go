package arbiter

import (
	"strings"
	"time"

	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

// bootExitGrace is how long a worker that said that it failed to boot may take to exit.
const bootExitGrace = 5 * time.Second

// worker is one worker process, from the command to fork it until it has been reaped and has hung up.
type worker struct {
	age        int
	slot       int
	pid        int // 0 until the forkserver tells it
	generation *generation
	server     *server // its parent; nil when that is the master
	seat       *seat   // nil when it no longer holds one: it is stopping
	link       workerLink

	boot     boot
	lifetime time.Duration // from readyAt; 0 = for ever
	outdated string        // why it is to be replaced; "" = it is not

	ready    bool
	readyAt  time.Duration
	failure  *wire.Event // why it could not boot, in its own words
	stopping bool
	graceful bool
	aborted  bool          // was sent SIGABRT: it timed out
	reported bool          // and the log says so
	told     string        // what it ran when its graceful_timeout came to its end
	killed   bool          // was sent SIGKILL by the master
	killAt   time.Duration // 0 = not to be killed

	hungUp   bool
	exited   bool
	status   unix.WaitStatus
	settleAt time.Duration // when exited: the end of waiting for it to hang up
}

// unknownStatus stands for the exit status of a process that somebody else reaped.
const unknownStatus = ^unix.WaitStatus(0)

func (a *arbiter) workerByAge(age int) *worker {
	for _, w := range a.workers {
		if w.age == age {
			return w
		}
	}
	return nil
}

// workerByPID finds a running worker. The pid of one that has exited may belong to another process already.
func (a *arbiter) workerByPID(pid int) *worker {
	for _, w := range a.workers {
		if w.pid == pid && !w.exited {
			return w
		}
	}
	return nil
}

// spawn asks the forkserver of g for a worker for seat s. It returns nil if that cannot be; the log says why.
func (a *arbiter) spawn(g *generation, s *seat) *worker {
	slot := a.takeSlot()
	if slot < 0 {
		a.log.Error("No worker can be started: all %d slots are taken until old workers end.", scoreboard.MaxSlots)
		s.brake.until = a.after(time.Second)
		return nil
	}
	a.ages++
	message := &wire.WorkerBoot{
		Slot: slot, Age: a.ages, Generation: g.id, MasterPID: a.pid, Config: g.config,
		Listeners: g.sockets.listeners(g.protocols), Certificates: g.certificates, Owner: g.config.RunAs,
	}
	fds, err := g.sockets.fds(s.index)
	var link workerLink
	if err == nil {
		err = a.openHandover(g)
	}
	if err == nil {
		link, err = g.server.link.fork(message, g.handover, fds)
	}
	if err != nil {
		a.slots[slot] = false
		s.brake.until = a.after(time.Second)
		a.log.Error("Worker could not be started, the next attempt is in a second: %s", err)
		return nil
	}
	a.board.Slot(slot).SetState(scoreboard.Booting)
	w := &worker{
		age: a.ages, slot: slot, generation: g, server: g.server, seat: s, link: link, lifetime: lifetime(g.config),
	}
	w.boot = boot{began: a.env.now(), busy: true, lookAt: a.after(importPeriod)}
	a.workers = append(a.workers, w)
	return w
}

func (a *arbiter) takeSlot() int {
	for i, taken := range a.slots {
		if !taken {
			a.slots[i] = true
			a.board.Clear(i)
			return i
		}
	}
	return -1
}

func (a *arbiter) workerForked(w *worker, pid int) {
	w.pid = pid
	a.board.Slot(w.slot).SetPID(pid)
	if w.stopping {
		// It was told to stop before its pid was known.
		a.env.kill(pid, stopSignal(w.graceful, false))
	}
}

// workerFailed logs why a worker could not boot. What follows from it is decided when the process has ended. Workers of
// one generation run the same code: they mostly fail for the same cause, whose traceback is told once.
func (a *arbiter) workerFailed(w *worker, message wire.Event) {
	w.failure = &message
	traceback := strings.TrimRight(message.Traceback, "\n")
	// One line is the exception alone, which the next message names with its remedy.
	if strings.Contains(traceback, "\n") && w.generation.isNewFailure(message.Error) {
		a.log.Error("Exception in worker process (pid:%d)\n%s", w.pid, traceback)
	}
	a.log.Error("Worker (pid:%d) failed to boot: %s", w.pid, message.Error)
	w.killBy(a.after(bootExitGrace))
}

// forkFailed: there is no worker, so there is nothing to reap.
func (a *arbiter) forkFailed(w *worker, cause string) {
	s := w.seat
	a.release(w)
	a.log.Error("Worker could not be forked: %s", cause)
	if s != nil {
		a.seatLost(w.generation, s, 0, "a worker could not be forked: "+cause)
	}
}

func (a *arbiter) workerExited(w *worker, status unix.WaitStatus) {
	w.exited, w.status = true, status
	w.settleAt = a.after(settleGrace)
}

// adopt makes the master responsible for a worker whose forkserver has gone.
func (a *arbiter) adopt(w *worker) {
	w.server = nil
	switch {
	case w.exited:
	case w.pid == 0:
		// Forked or not, nobody can tell its pid: let it end by itself, and keep its slot until it has.
		w.link.hangUp()
		w.exited, w.status = true, unknownStatus
		w.settleAt = a.after(seconds(w.generation.config.GracefulTimeout) + settleGrace)
		w.leaveSeat()
	default:
		// The forkserver may have reaped it and died before it told.
		if pid, status, err := a.env.wait(w.pid); err != nil {
			a.workerExited(w, unknownStatus)
		} else if pid == w.pid {
			a.workerExited(w, status)
		}
	}
}

// killBy brings the SIGKILL forward to t.
func (w *worker) killBy(t time.Duration) {
	if w.killAt == 0 || t < w.killAt {
		w.killAt = t
	}
}
