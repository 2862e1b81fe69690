package workers

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/protocol/http1"
	"github.com/pyhost/pyhost/protocol/uwsgi"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/socket"
	"github.com/pyhost/pyhost/wsgi"
)

const (
	inputSize = 64 << 10 // bytes of one read: a head and a small body in one call
	batchSize = 64       // events that a one-thread worker takes at once
)

// thread is one Python thread: it waits on the poller, reads, parses, calls the application and writes. What it serves
// it serves alone, from the socket to the socket.
type thread struct {
	w        *worker
	index    int // 0 is the process's and Python's main thread
	exchange *embedpy.Exchange
	parser   *http1.Parser
	encoder  *wsgi.Encoder
	request  http1.Request
	packet   uwsgi.Packet // of a connection that speaks uwsgi; request is a copy of its Request then
	frame    wsgi.Frame
	in       []byte // bytes of one read
	chunks   []byte // a decoded chunked body
	events   []unix.EpollEvent
	flags    uint32 // of every exchange
	record   accessRecord
	rested   int64             // now, when the thread last had nothing to do
	slow     int64             // and when it last came from a request for which new connections may have waited
	fresh    []unix.EpollEvent // of listeners, which come last
	vain     int               // looks for events, in a row, that found none
	pressed  bool              // the events at hand were there already, or came together: there is much to do
	eager    int               // connections that are accepted in a row then
	batch    batch             // events of one poll that are not served yet
	holding  bool              // the thread has kept the GIL, see runInTurn
	began    int64             // CLOCK_MONOTONIC ns at which it got it
	stands   atomic.Int64      // since when it stands by for it; 0 = it does not
	now      int64             // CLOCK_MONOTONIC ns of the last beat: when the event that it serves was taken up
	arrived  int64             // CLOCK_MONOTONIC ns at which what it serves came, as far as it knows; for the log
	running
}

func newThread(w *worker, index int) *thread {
	t := &thread{
		w:        w,
		index:    index,
		exchange: w.python.Exchange(index),
		parser:   w.newParser(),
		encoder:  wsgi.NewEncoder(w.rules),
		in:       make([]byte, inputSize),
		events:   make([]unix.EpollEvent, 1),
	}
	if w.threads == 1 || w.inTurn {
		// A batch delays nothing: nobody else takes what this thread leaves, or somebody stands by for that. And the GIL
		// need not change hands with each request.
		t.events = make([]unix.EpollEvent, batchSize)
		t.flags = embedpy.FlagKeepGIL
	}
	t.batch.events = t.events
	t.record.init(t)
	t.running.init(t)
	return t
}

// run serves until the worker has drained.
func (t *thread) run() {
	if t.w.inTurn {
		t.runInTurn()
		return
	}
	for !t.w.finished() {
		n := t.pollNow(t.events)
		if n == 0 {
			n = t.wait()
		}
		t.handle(n)
	}
	t.letGo()
}

// Looking for events without waiting for them spares a thread that has much to do the way through Go's scheduler and
// without the GIL. One that has little to do looks in vain, each time; after vainLooks of them it does so only now and
// then.
const (
	vainLooks  = 8
	blindWaits = 24
)

// pollNow returns the events that are there, up to the length of events, if it is worth a system call.
func (t *thread) pollNow(events []unix.EpollEvent) int {
	if t.vain >= vainLooks && t.w.standing.Load() == 0 {
		// After a long request it looks: how new connections are met depends on it (thread.accept).
		if t.vain++; t.vain < vainLooks+blindWaits && scoreboard.Now()-t.now < int64(patienceOfClients) {
			return 0
		}
		t.vain = vainLooks - 1
	}
	n := socket.Poll(t.w.poller.fd, events)
	if n > 0 {
		t.vain = 0
		t.pressed = true
	} else {
		t.vain++
	}
	return n
}

// wait blocks until something happens, without the GIL.
func (t *thread) wait() int {
	events := t.events
	if t.flags&embedpy.FlagKeepGIL != 0 {
		t.letGo()
	}
	if t.w.threads > 1 {
		events = events[:1] // there are others for the rest
	}
	if t.index == 0 {
		t.w.checkSignals()
	}
	t.beat()
	t.rested = t.now
	n, err := unix.EpollWait(t.w.poller.fd, events, t.w.pollLimit)
	t.now = 0
	t.pressed = n > 1
	if t.pressed {
		t.vain = 0
	}
	switch {
	case err != nil:
		return 0 // EINTR: a signal for the application, or Go's own
	case n == 0:
		t.acceptStray()
	}
	return n
}

// handle serves what is ready. New connections come last: what the worker already has goes first.
func (t *thread) handle(count int) {
	if t.w.access != nil {
		t.arrived = scoreboard.Now()
	}
	if count == 1 {
		t.serve(t.events[0])
		return
	}
	t.fresh = t.fresh[:0]
	t.batch.fill(count)
	for event, ok := t.batch.next(); ok; event, ok = t.batch.next() {
		if tag := uint32(event.Pad); tag == tagListener || tag == tagHandover {
			t.fresh = append(t.fresh, event)
		} else {
			t.serve(event)
		}
	}
	for _, event := range t.fresh {
		t.serve(event)
	}
}

// serve does what an event asks for.
func (t *thread) serve(event unix.EpollEvent) {
	fd, tag := int(event.Fd), uint32(event.Pad)
	switch tag {
	case tagListener:
		t.acceptSome(fd)
	case tagReady:
		t.takeReady()
	case tagHandover:
		t.takeOver()
	default:
		if c := t.w.table.find(fd, tag); c != nil && c.notify(event.Events) {
			t.beat()
			t.read(c)
		}
	}
}

// takeOver serves a request that waited behind a busy sibling.
func (t *thread) takeOver() {
	if t.w.draining.Load() {
		return
	}
	if c := t.w.handover.take(); c != nil {
		t.w.limitConnections()
		t.serveWaiting(c)
	}
}

// beat tells the arbiter that this worker lives. A one-thread worker that is silent for longer than the timeout is in a
// request that long (gunicorn's sync worker); others have the heartbeat goroutine.
func (t *thread) beat() {
	t.now = scoreboard.Now()
	if t.w.threads == 1 {
		t.w.slot.Beat(t.now)
	}
}

// acceptMost is how many connections are taken in a row, and acceptTime for how long, before what the others have sent
// is looked at again.
const (
	acceptMost = 8
	acceptTime = time.Millisecond
)

// acceptSome takes a connection and serves it; then, where it seems that there are more, others, without asking the
// poller before each.
func (t *thread) acceptSome(listener int) {
	if !t.accept(listener) || !t.pressed || t.w.threads > 1 { // who else waits has a thread of its own
		t.eager = 1
		return
	}
	began := t.now
	for n := 1; n < t.eager; n++ {
		if !t.accept(listener) {
			t.eager = 1
			return
		}
		if t.now-began > int64(acceptTime) {
			return
		}
	}
	t.eager = min(2*t.eager, acceptMost)
}

// accept takes one connection and serves what it has already sent. It reports whether there was one.
func (t *thread) accept(listener int) bool {
	before := t.now
	t.beat()
	if before > 0 && t.now-before > int64(patienceOfClients) {
		t.slow = t.now
	}
	c := t.w.acceptOne(listener)
	if c == nil {
		return false
	}
	t.w.limitConnections()
	if t.slow > t.rested && t.w.leftBacklog(c) {
		return true
	}
	if !c.guarded || t.w.admit(c) {
		t.read(c)
	}
	return true
}

// acceptStray looks for connections whose wake-up went to a worker that could not take them any more: EPOLLEXCLUSIVE
// wakes one waiter only.
func (t *thread) acceptStray() {
	if t.w.isAccepting() {
		for i := range t.w.listeners {
			t.accept(t.w.listeners[i].fd)
		}
		if t.w.handover != nil {
			t.takeOver()
		}
	}
}

// takeReady serves a request that the lane completed.
func (t *thread) takeReady() {
	if !t.w.poller.taken() {
		return // another thread was faster
	}
	c := t.w.ready.pop()
	if c == nil {
		return // a wake-up without a request
	}
	t.serveWaiting(c)
}

// serveWaiting serves a request that waited for a thread, unless its client did not.
func (t *thread) serveWaiting(c *conn) {
	t.beat()
	m := c.message
	if t.w.left(c, t.now) {
		t.w.dropLeft(c)
		return
	}
	t.w.slot.AddWait(t.now - m.since)
	c.message = nil
	t.arrived = m.since
	if m.file != nil {
		if t.spooled(c, m) && t.consume(c, m.rest) {
			t.read(c)
		}
		return
	}
	if t.consume(c, m.raw) {
		t.read(c)
	}
}

// read serves what the connection, which this thread owns, has sent; at the end it is idle again, closed, or in the
// lane.
func (t *thread) read(c *conn) {
	for {
		n, errno := socket.Receive(c.fd, t.in)
		switch {
		case errno == unix.EAGAIN:
			if t.w.park(c) {
				return
			}
		case errno != 0 || n == 0:
			t.w.close(c)
			return
		default:
			if !t.consume(c, t.in[:n]) {
				return
			}
			// Less than asked for: the socket is empty, and the next byte is a new edge. The end is not, if it came along.
			if n < len(t.in) && !c.ended.Load() && t.w.park(c) {
				return
			}
		}
		t.beat()
	}
}
