package workers

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/workers/scoreboard"
)

// quickExit bounds a quick stop, in which requests are not waited for.
const quickExit = 500 * time.Millisecond

// lastWords is how long a worker that leaves waits for the outputs of its log.
const lastWords = 300 * time.Millisecond

// drainPeriod is how often a draining worker looks for idle connections.
const drainPeriod = 50 * time.Millisecond

// stop begins to leave: no new connections, idle ones are closed, running requests finish (graceful) or are given up.
// A second call can only hasten.
func (w *worker) stop(graceful bool) {
	if !graceful {
		w.quick.Store(true)
		time.AfterFunc(quickExit, func() { w.leave(0) })
	}
	w.stopOnce.Do(func() {
		w.slot.SetState(scoreboard.Draining)
		w.acceptLast()
		w.draining.Store(true)
		for _, l := range w.listeners {
			unix.Close(l.fd)
		}
		w.lane.heads.hurry()
		w.http2.drain()
		go w.drainIdle()
	})
	w.poller.wake(w.threads)
}

// drainIdle closes idle connections until none is left.
func (w *worker) drainIdle() {
	for !w.finished() {
		w.closeIdle(scoreboard.Now())
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
	}
}

// finalize ends the interpreter after the main thread's last request: atexit handlers run. It is bounded: an
// application that does not end is left behind.
func (w *worker) finalize(limit time.Duration) {
	w.slot.SetState(scoreboard.Exiting)
	time.AfterFunc(max(limit, time.Second), func() { w.leave(0) })
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

// abort ends a worker that timed out.
func (w *worker) abort() {
	w.surrender()
	w.leave(1)
}

// leave ends the process now. The first call decides; another goroutine's waits for the end.
func (w *worker) leave(code int) {
	w.leaveOnce.Do(func() {
		w.log.Info("Worker exiting (pid: %d)", w.pid)
		w.access.Close()
		w.log.Close(lastWords)
		os.Exit(code) //nolint:forbidigo // the interpreter has ended, or was given up
	})
}
