package workers

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/workers/scoreboard"
)

const (
	// obeyTime is how long an interrupted request may take to come to its end before the server answers in its place. A
	// wait in C (time.sleep, a database driver) does not notice an interruption.
	obeyTime = 200 * time.Millisecond
	// returnTime is how long its thread may take before the worker is given up.
	returnTime = 2 * time.Second
)

// watch holds requests to request_timeout and to what they set themselves with pyhost.request_timeout(): an exception
// in their thread, then 504 from the server, then another worker. It sleeps until the next one is due, which costs the
// requests nothing.
type watch struct {
	w     *worker
	limit time.Duration // request_timeout; 0 = none
	woken *os.File      // the eventfd that pyhost.request_timeout() writes to
	cases []overrun     // by thread
	asked bool          // the master was asked for another worker
}

// overrun is a request that has run for too long.
type overrun struct {
	serial uint64 // 0 = none
	since  int64  // when it was noticed
	gaveUp bool   // the server has answered it, or cannot
	logged *atomic.Bool
}

func newWatch(w *worker, limit time.Duration) (*watch, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("creating the watch's wake-up: %w", err)
	}
	embedpy.WakeDeadlines(fd)
	return &watch{
		w: w, limit: limit, woken: os.NewFile(uintptr(fd), "deadlines"), cases: make([]overrun, w.threads),
	}, nil
}

// run watches until the process ends.
func (o *watch) run() {
	count := make([]byte, 8)
	for {
		var until time.Time // the zero time: for ever
		if next := o.scan(scoreboard.Now()); next > 0 {
			until = time.Now().Add(time.Duration(next - scoreboard.Now()))
		}
		if o.woken.SetReadDeadline(until) != nil {
			return
		}
		_, _ = o.woken.Read(count) // the deadline, or the application
	}
}

// scan deals with all requests that are due at now, and returns when the next ones are; 0 = nothing to wait for.
func (o *watch) scan(now int64) (next int64) {
	if o.limit > 0 {
		next = now + int64(o.limit) // what begins from now on is not due before
	}
	for i := range o.cases {
		if due := o.inspect(i, now); due > 0 && (next == 0 || due < next) {
			next = due
		}
	}
	return next
}

// inspect deals with the request of thread i, and returns when to look again.
func (o *watch) inspect(i int, now int64) (due int64) {
	t := o.w.runners[i].Load()
	if t == nil {
		return 0
	}
	g, ok := t.look()
	c := &o.cases[i]
	if !ok || c.serial != g.serial() {
		*c = overrun{}
	}
	if !ok {
		return 0
	}
	switch {
	case g.deadline > 0:
		due = g.deadline
	case g.deadline == 0 && o.limit > 0:
		due = g.start + int64(o.limit)
	default:
		return 0
	}
	if c.serial == 0 && due > now {
		return due
	}
	if c.serial == 0 {
		*c = overrun{serial: g.serial(), since: now, logged: new(atomic.Bool)}
		o.interrupt(t, g, c.logged)
	}
	return o.pursue(t, g, c, now)
}

// interrupt raises the exception. Nobody waits for it: the GIL may not be free.
func (o *watch) interrupt(t *thread, g glance, logged *atomic.Bool) {
	what := t.described(scoreboard.Now())
	o.w.gil.later(func() {
		stack, done := o.w.interpreter.interrupt(t.index, g.serial())
		if done && logged.CompareAndSwap(false, true) {
			o.w.log.Error("REQUEST TIMEOUT (pid:%d): %s; it was interrupted here:\n%s", o.w.pid, what, trimmed(stack))
		}
	})
}

// pursue goes on with a request that does not end, and returns when to look again.
func (o *watch) pursue(t *thread, g glance, c *overrun, now int64) (due int64) {
	switch age := now - c.since; {
	case age < int64(obeyTime):
		return c.since + int64(obeyTime)
	case !c.gaveUp:
		c.gaveUp = true
		what := t.described(now)
		t.giveUp(g.serial())
		if c.logged.CompareAndSwap(false, true) { // the GIL could not be had
			o.w.log.Error("REQUEST TIMEOUT (pid:%d): %s; nothing could interrupt it:\n%s", o.w.pid, what,
				trimmed(o.w.interpreter.dump()))
		}
		return c.since + int64(returnTime)
	case age < int64(returnTime):
		return c.since + int64(returnTime)
	case !o.asked:
		o.asked = true
		o.w.log.Error("A request does not come back: this worker (pid:%d) is replaced", o.w.pid)
		o.w.retire("a request that does not end")
	}
	return 0
}
