package workers

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/workers/scoreboard"
)

// running is what others may know and do about the request that a thread runs. The thread's own side costs a few stores
// per request; whoever else answers the request in its place does so under the lock, and only after it has won the
// claim (embedpy.Exchange.Claim).
type running struct {
	t      *thread
	serial uint64              // of the thread's last request
	shown  *scoreboard.Request // what is shown to the master
	answer sync.Mutex          // held by who answers in the thread's place
	lost   bool                // the last request was answered by somebody else
	cut    atomic.Bool         // somebody looks whether to cut what the thread sends, under the lock
}

func (r *running) init(t *thread) {
	r.t = t
	if r.shown = t.w.shown(t.index); r.shown == nil {
		r.shown = new(scoreboard.Request)
	}
	t.w.runners[t.index].Store(t)
}

// enter makes the request on c the thread's running one.
func (r *running) enter(c *conn) {
	t := r.t
	r.shown.Begin(t.now, t.client(c), t.request.Method, t.request.Target)
	r.serial++
	if t.exchange.Deadline != 0 {
		atomic.StoreInt64(&t.exchange.Deadline, 0)
	}
	atomic.StoreUint64(&t.exchange.Claim, r.serial<<embedpy.ClaimBits|embedpy.ClaimOpen)
	t.rouseShepherd()
}

// rouseShepherd: there is something for it to look at.
func (t *thread) rouseShepherd() {
	if s := t.w.shepherd; s != nil && s.resting.Load() {
		s.rouse()
	}
}

// leave closes the claim: afterwards nobody else answers.
func (r *running) leave() {
	claim := atomic.SwapUint64(&r.t.exchange.Claim, 0)
	r.lost = claim&(1<<embedpy.ClaimBits-1) == embedpy.ClaimLost
	if r.lost || r.cut.Load() {
		r.answer.Lock()
		//lint:ignore SA2001 it waits until the answer has been written
		r.answer.Unlock()
	}
	r.shown.End()
}

// glance is a request as a look at its thread found it.
type glance struct {
	claim    uint64
	start    int64 // CLOCK_MONOTONIC ns
	deadline int64 // see embedpy.Exchange.Deadline
}

func (g glance) serial() uint64 { return g.claim >> embedpy.ClaimBits }

func (g glance) state() uint64 { return g.claim & (1<<embedpy.ClaimBits - 1) }

// look reports what the thread runs. Any goroutine. A request that begins or ends at this moment may be missed.
func (r *running) look() (glance, bool) {
	x := r.t.exchange
	g := glance{claim: atomic.LoadUint64(&x.Claim)}
	if g.state() == embedpy.ClaimNone {
		return glance{}, false
	}
	g.start, g.deadline = r.shown.Start(), atomic.LoadInt64(&x.Deadline)
	return g, atomic.LoadUint64(&x.Claim) == g.claim
}

// take wins the right to answer request serial. If it does, the caller answers on the connection's descriptor and calls
// release; until then the thread does not get past the end of the request.
func (r *running) take(serial uint64) (fd int, won bool) {
	r.answer.Lock()
	open := serial<<embedpy.ClaimBits | embedpy.ClaimOpen
	if atomic.CompareAndSwapUint64(&r.t.exchange.Claim, open, open|embedpy.ClaimLost) {
		return int(r.t.exchange.FD), true
	}
	r.answer.Unlock()
	return -1, false
}

func (r *running) release() { r.answer.Unlock() }

// cutStuck ends the connection to which the thread sends a response, if the client does not take it: the thread comes
// back then. It reports whether it did.
func (r *running) cutStuck() bool {
	r.answer.Lock()
	defer r.answer.Unlock()
	r.cut.Store(true) // before the look: from then on the thread does not get past the end of the request
	defer r.cut.Store(false)
	g, busy := r.look()
	if !busy || g.state() != embedpy.ClaimSent {
		return false
	}
	room := []unix.PollFd{{Fd: r.t.exchange.FD, Events: unix.POLLOUT}}
	if n, err := unix.Poll(room, 0); n != 0 || err != nil {
		return false
	}
	unix.Shutdown(int(r.t.exchange.FD), unix.SHUT_RDWR)
	return true
}
