package workers

import (
	"fmt"
	"iter"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/socket"
)

const (
	// glanceTime is how often a worker that serves looks whether all of its threads are busy, and how long they must have
	// been: a worker that serves short requests keeps what it has.
	glanceTime = 2 * time.Millisecond
	// aloneTime is the same where nobody is there to take anything: what waits is counted all the same, and dropped when
	// its client leaves.
	aloneTime = 25 * time.Millisecond
	// restAfter is after how long without a request it stops looking until there is one.
	restAfter = 500 * time.Millisecond
	// countAfter is after how many looks it counts its siblings anew: workers come and go.
	countAfter = 500
	// trimAfter is after how many requests a worker that rests gives back the pages of program files, after it has done
	// so half a second after its start, and when it first rests: what they cost when they come back, some 50 us, is
	// little then, for each of these requests.
	trimAfter = 1000
)

// shepherd looks after a worker whose Python threads are all busy: the connections whose requests wait behind them go
// to a sibling that has a thread free, through the handover. Requests pay one load for it.
type shepherd struct {
	w       *worker
	outer   int // an epoll that watches the worker's own, without being one of its waiters
	events  []unix.EpollEvent
	resting atomic.Bool
	roused  chan struct{}
	glances int
	period  time.Duration // between two looks
	quiet   int64         // CLOCK_MONOTONIC ns since when there has been no request
	seen    uint64        // requests at the last one
	trimDue uint64        // requests at which the worker gives back pages the next time that it rests
	crowded bool          // all threads were busy at the last look
	pending []int         // listeners that were ready at the last look
	handed  bool          // the handover was
}

func newShepherd(w *worker) (*shepherd, error) {
	outer, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	return &shepherd{w: w, outer: outer, events: make([]unix.EpollEvent, batchSize), roused: make(chan struct{}, 1)}, nil
}

// rouse is called by a thread that begins a request while the shepherd rests.
func (s *shepherd) rouse() {
	if s.resting.CompareAndSwap(true, false) {
		select {
		case s.roused <- struct{}{}:
		default:
		}
	}
}

// run looks after the worker until it drains.
func (s *shepherd) run() {
	defer unix.Close(s.outer)
	started, trimmed := scoreboard.Now(), false
	s.quiet = started
	for !s.w.draining.Load() {
		if s.glances%countAfter == 0 {
			s.period = aloneTime
			if _, siblings := s.w.siblings(); siblings > 0 || s.w.queue.limited() {
				s.period = glanceTime
			}
		}
		s.glances++
		time.Sleep(s.period)
		if !trimmed && time.Duration(scoreboard.Now()-started) >= restAfter {
			// Not at once: the first request would wait for it.
			trimmed = true
			embedpy.TrimResident()
		}
		switch {
		case s.stuck():
			s.quiet = scoreboard.Now()
			s.tend()
		case s.idle():
			s.rest()
		}
	}
}

// idle reports whether nothing has happened for a while.
func (s *shepherd) idle() bool {
	requests := s.w.slot.Requests()
	if requests != s.seen || s.w.slot.Busy() > 0 {
		s.seen, s.quiet = requests, scoreboard.Now()
		return false
	}
	return time.Duration(scoreboard.Now()-s.quiet) >= restAfter
}

func (s *shepherd) rest() {
	if s.seen >= s.trimDue {
		s.trimDue = s.seen + trimAfter
		embedpy.TrimAgain()
	}
	s.resting.Store(true)
	if s.w.slot.Busy() > 0 { // a thread that begins one after this sees that the shepherd rests
		s.rouse()
	}
	<-s.roused
	s.glances, s.quiet = 0, scoreboard.Now()
}

// stuck reports whether all threads have been busy for so long that it is worth while to look after the rest. Where the
// queue is limited, one short request after the other is reason enough.
func (s *shepherd) stuck() bool {
	crowded, long := true, true
	now := scoreboard.Now()
	for i := range s.w.runners {
		t := s.w.runners[i].Load()
		if t == nil {
			return false
		}
		since, engaged := t.engaged()
		crowded = crowded && engaged
		long = long && engaged && now-since >= int64(s.period)
	}
	was := s.crowded
	s.crowded = crowded
	return long || crowded && was && s.w.queue.limited()
}

// tend looks after the worker until one of its threads comes back.
func (s *shepherd) tend() {
	event := unix.EpollEvent{Events: unix.EPOLLIN | uint32(unix.EPOLLET&0xffffffff)}
	if unix.EpollCtl(s.outer, unix.EPOLL_CTL_ADD, s.w.poller.fd, &event) != nil {
		return
	}
	for s.stuck() && !s.w.draining.Load() {
		s.collect()
		s.distribute()
		s.w.queue.enforce(scoreboard.Now())
		patience := 20 // ms
		if s.w.ready.length() > 0 || len(s.pending) > 0 || s.handed {
			patience = 3 // somebody may be free by then
		}
		if s.handed {
			// What was put in anew is news for this poller too: not to chase it in circles.
			time.Sleep(time.Duration(patience) * time.Millisecond)
			continue
		}
		_, _ = unix.EpollWait(s.outer, s.events[:1], patience)
	}
	s.w.slot.SetWaiting(0, 0)
	_ = unix.EpollCtl(s.outer, unix.EPOLL_CTL_DEL, s.w.poller.fd, nil)
}

// collect takes the events that no thread is there to take.
func (s *shepherd) collect() {
	s.pending, s.handed = s.pending[:0], false
	for i := range s.w.runners {
		if t := s.w.runners[i].Load(); t != nil {
			for event, ok := t.batch.next(); ok; event, ok = t.batch.next() {
				s.accept(event)
			}
		}
	}
	for {
		n := socket.Poll(s.w.poller.fd, s.events)
		for _, event := range s.events[:n] {
			s.accept(event)
		}
		if n < len(s.events) {
			return
		}
	}
}

// accept deals with one event.
func (s *shepherd) accept(event unix.EpollEvent) {
	fd, tag := int(event.Fd), uint32(event.Pad)
	switch tag {
	case tagListener:
		s.pending = append(s.pending, fd)
	case tagHandover:
		s.handed = true
	case tagReady: // its counts are the queue's
	default:
		if c := s.w.table.find(fd, tag); c != nil && c.notify(event.Events) {
			s.queueUp(c)
		}
	}
}

// queueUp lets a connection wait for a thread if it has sent something; else it stays idle, or ends.
func (s *shepherd) queueUp(c *conn) {
	var one [1]byte
	for {
		n, errno := socket.Peek(c.fd, one[:])
		switch {
		case errno == 0 && n > 0:
			c.hold(message{})
			s.w.ready.push(c)
			return
		case errno != unix.EAGAIN:
			s.w.close(c)
			return
		case s.w.park(c):
			return
		}
	}
}

// distribute gives what waits to those who are free.
func (s *shepherd) distribute() {
	free, _ := s.w.siblings()
	for ; free > 0 && s.w.passOn(); free-- {
	}
	for _, fd := range s.pending {
		for ; free > 0 || s.w.queue.limited(); free-- {
			c := s.w.acceptOne(fd)
			if c == nil {
				break
			}
			if !c.guarded || s.w.admit(c) {
				s.queueUp(c)
				if free > 0 {
					s.w.passOn()
				}
			}
		}
	}
	if s.handed && free > 0 {
		// Its wake-up came here, where nobody can take it: put it in anew, so that it wakes another.
		if c := s.w.handover.take(); c != nil {
			s.w.ready.push(c)
			s.w.passOn()
		}
	}
}

// passOn gives the connection that has waited longest, of those that can change the process, to the siblings.
func (w *worker) passOn() bool {
	c := w.ready.steal((*conn).movable)
	if c == nil {
		return false
	}
	if !w.handover.give(c) {
		w.ready.unshift(c)
		return false
	}
	return true
}

// siblings is the number of other workers of the generation that serve, and of their threads that run nothing.
func (w *worker) siblings() (free, workers int) {
	if w.handover == nil || !w.shares {
		return 0, 0
	}
	for slot := range w.neighbours() {
		idle, serves := slot.Idle(w.crew)
		if serves {
			workers++
		}
		free += idle
	}
	return free, workers
}

// neighbours are the slots of the other workers of the master, in any state and of any generation.
func (w *worker) neighbours() iter.Seq[*scoreboard.Slot] {
	const gap = 64 // the master takes the lowest free slot: beyond so many empty ones there is none
	return func(yield func(*scoreboard.Slot) bool) {
		for i, empty := 0, 0; w.board != nil && i < scoreboard.MaxSlots && empty < gap; i++ {
			slot := w.board.Slot(i)
			if slot.PID() == 0 {
				empty++
				continue
			}
			empty = 0
			if i != w.place && !yield(slot) {
				return
			}
		}
	}
}

// startShepherd looks after the worker from now on, if it has siblings or a limited queue.
func (w *worker) startShepherd() error {
	s, err := newShepherd(w)
	if err != nil {
		return fmt.Errorf("creating the shepherd: %w", err)
	}
	w.shepherd = s
	go s.run()
	return nil
}

// batch is the events that a thread took at once, of which it has not come to some yet. The shepherd may take them away
// from it.
type batch struct {
	events []unix.EpollEvent
	state  atomic.Uint64 // a number for each filling, the next event's index, their count
}

const (
	batchNext  = 1 << 16
	batchMask  = 1<<16 - 1
	batchEpoch = 1 << 32
)

// fill makes the first count events those that are waiting. Only the thread calls it, when none is left.
func (b *batch) fill(count int) {
	epoch := b.state.Load() &^ (batchEpoch - 1)
	b.state.Store(epoch + batchEpoch + uint64(count))
}

// next takes the next event. What the thread overwrites meanwhile is not taken: then the number is another one.
func (b *batch) next() (unix.EpollEvent, bool) {
	for {
		state := b.state.Load()
		i, count := state>>16&batchMask, state&batchMask
		if i >= count {
			return unix.EpollEvent{}, false
		}
		event := b.events[i]
		if b.state.CompareAndSwap(state, state+batchNext) {
			return event, true
		}
	}
}

// left reports whether an event waits.
func (b *batch) left() bool {
	state := b.state.Load()
	return state>>16&batchMask < state&batchMask
}
