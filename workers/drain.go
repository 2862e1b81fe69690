package workers

import (
	"os"
	"time"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/workers/scoreboard"
)

// quickExit bounds a quick stop, in which requests are not waited for.
const quickExit = 500 * time.Millisecond

// lastWords is how long a worker that leaves waits for the outputs of its log.
const lastWords = 300 * time.Millisecond

// lastMoment is how long before the end of graceful_timeout a worker gives up the requests that still run.
const lastMoment = time.Second

// drainPeriod is how often a draining worker looks for idle connections.
const drainPeriod = 50 * time.Millisecond

// stop begins to leave: no new connections, idle ones are closed, running requests finish (graceful) or are given up.
// A second call can only hasten.
func (w *worker) stop(graceful bool) {
	if !graceful && !w.hurried.Swap(true) {
		go w.hurry()
	}
	w.stopOnce.Do(func() {
		w.slot.SetState(scoreboard.Draining)
		w.acceptLast()
		w.parting.Store(true)
		w.draining.Store(true)
		if !w.backlogLeft {
			w.closeListeners()
		}
		w.lane.heads.hurry()
		w.http2.drain()
		go w.drainIdle()
		if w.graceful > 0 {
			time.AfterFunc(max(w.graceful-lastMoment, w.graceful/2), w.runOut)
		}
	})
	w.poller.wake(w.threads)
}

// hurry makes the stop a quick one, after the hook worker_int.
func (w *worker) hurry() {
	if w.intHook {
		w.notes.run("worker_int", hookGrace)
		close(w.intHooked)
	}
	time.AfterFunc(quickExit, func() { w.leave(0) })
	w.quick.Store(true)
	w.poller.wake(w.threads)
}

// abort ends a worker that timed out. Its hook has to be quick: the master does not wait.
func (w *worker) abort() {
	w.surrender()
	if w.abortHook {
		w.notes.run("worker_abort", abortGrace)
	}
	w.leave(1)
}

// drainIdle closes idle connections until none is left.
func (w *worker) drainIdle() {
	for !w.finished() {
		w.settleBacklog()
		w.closeIdle(scoreboard.Now())
		w.leaveClients()
		time.Sleep(drainPeriod)
	}
	if w.abandoned.Load() == 0 {
		return
	}
	w.poller.wake(w.threads)
	if t := w.runners[0].Load(); t != nil {
		if g, busy := t.look(); busy && g.state() == embedpy.ClaimLost {
			// The main thread hangs in a request that has been answered: nobody can end the interpreter in order.
			time.AfterFunc(quickExit, func() { w.leave(0) })
		}
		// Or it waits for the GIL, which such a request keeps.
		time.AfterFunc(quickExit, func() {
			if since := t.stands.Load(); since > 0 && scoreboard.Now()-since > int64(quickExit/2) {
				w.leave(0)
			}
		})
	}
}

// finalize ends the interpreter after the main thread's last request: atexit handlers run. It is bounded: an
// application that does not end is left behind.
func (w *worker) finalize(limit time.Duration) {
	w.slot.SetState(scoreboard.Exiting)
	time.AfterFunc(max(limit, time.Second), func() { w.leave(0) })
	if w.intHook && w.hurried.Load() {
		<-w.intHooked // it has a limit
	}
	w.sayExit()
	if w.gil.free(quickExit) && !w.exitHooked.Swap(true) { // also for what pyhost.worker_exit has collected
		embedpy.RunWorkerExit()
	}
	done := make(chan struct{})
	go func() {
		w.threadsDone.Wait()
		close(done)
	}()
	select {
	case <-done:
		w.gil.close()
		embedpy.Finalize()
	case <-time.After(quickExit / 2):
		// A request still runs in another thread: ending the interpreter under it would crash it.
		if w.gil.free(quickExit) {
			embedpy.RunAtExit()
		}
	}
}

// leave ends the process now. The first call decides; another goroutine's waits for the end.
func (w *worker) leave(code int) {
	w.leaveOnce.Do(func() {
		w.sayExit()
		if w.exitHook && !w.exitHooked.Swap(true) {
			w.notes.run("worker_exit", abortGrace) // the main thread is busy: it will not come to it
		}
		w.notes.finish()
		w.access.Close()
		w.log.Close(lastWords)
		os.Exit(code) //nolint:forbidigo // the interpreter has ended, or was given up
	})
}

func (w *worker) sayExit() {
	w.exitOnce.Do(func() { w.log.Info("Worker exiting (pid: %d)", w.pid) })
}
