package workers

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/logging"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/socket"
	"github.com/pyhost/pyhost/workers/wire"
)

// stacksTime is how long a worker that is aborted waits for the GIL, to have its stacks from Python.
const stacksTime = 150 * time.Millisecond

const tookTooLong = "The request took too long."

// giveUp answers request serial of the thread with 504, if nothing of an answer has been sent. The thread finds out
// when it comes back from Python, if it does. Any goroutine.
func (t *thread) giveUp(serial uint64) bool {
	fd, won := t.take(serial)
	if !won {
		return false
	}
	defer t.release()
	running, _ := t.shown.Read()
	page := errorPage(t.request.Method, 504, tookTooLong)
	t.w.abandoned.Add(1) // before the client knows: the worker need not wait for this connection any more
	n, _ := socket.Send(fd, page)
	if n == len(page) {
		unix.Shutdown(fd, unix.SHUT_WR)
	}
	t.logAbandoned(running, page)
	return true
}

// putBack ends the connection of a request that somebody else has answered: the thread has come back after all.
func (t *thread) putBack(c *conn) {
	t.w.lane.finish(c, nil)
	t.w.abandoned.Add(-1)
}

// logAbandoned writes the access log's line for the request that somebody has answered in the thread's place, and not
// released yet: until then the thread leaves what it has of the request alone.
func (t *thread) logAbandoned(running scoreboard.Running, page []byte) {
	if t.w.access == nil {
		return
	}
	variable := func(name string) []byte { value, _ := t.frame.Lookup(name); return value }
	listener := int(t.exchange.Listener)
	took := time.Duration(scoreboard.Now() - running.Start)
	t.w.access.Write(&logging.Record{
		RemoteAddr: []byte(running.Client), Method: t.request.Method, Target: t.request.Target,
		Path: variable("PATH_INFO"), Query: t.request.Query, Protocol: variable("SERVER_PROTOCOL"),
		Status: 504, BodyBytes: int64(len(pageBody(page))),
		Start: time.Now().Add(-took), Duration: took, PID: t.w.pid, ResponseHead: page,
		Outcome: logging.TimedOut, BytesIn: -1, FirstByte: -1, Queued: -1, RequestID: t.encoder.RequestID(),
		RequestHeader: t.record.requestHeader, EachHeader: t.record.record.EachHeader,
		Environ: func(name string) ([]byte, bool) { return t.w.variable(&t.frame, listener, name) },
	})
}

// described is the running request for the log.
func (t *thread) described(now int64) string {
	running, ok := t.shown.Read()
	if !ok {
		return "a request"
	}
	return running.Describe(now)
}

// surrender is what a worker does that the master ends, because it has been silent for too long or does not stop in
// time: it answers 504 where it can, and tells the master where its threads are.
func (w *worker) surrender() {
	text := w.requestsAndStacks()
	for i := range w.runners {
		if t := w.runners[i].Load(); t != nil {
			if g, ok := t.look(); ok {
				t.giveUp(g.serial())
			}
		}
	}
	_ = w.tell(&wire.Event{Event: wire.EventAborted, Traceback: ending(text, maxTraceback)})
}

// requestsAndStacks are the running requests and the stacks of all Python threads: as Python tells them if the GIL can
// be had, else as faulthandler does.
func (w *worker) requestsAndStacks() string {
	var text strings.Builder
	now := scoreboard.Now()
	for i := range w.runners {
		t := w.runners[i].Load()
		if t == nil {
			continue
		}
		if _, ok := t.look(); ok {
			fmt.Fprintf(&text, "%s\n", t.described(now))
		}
	}
	text.WriteString(trimmed(w.stacks()))
	return trimmed(text.String())
}

func (w *worker) stacks() string {
	told := make(chan string, 1)
	if w.gil.later(func() { told <- w.interpreter.stacks() }) {
		select {
		case text := <-told:
			return text
		case <-time.After(stacksTime):
		}
	}
	return w.interpreter.dump()
}

func trimmed(text string) string { return strings.TrimRight(text, "\n") }
