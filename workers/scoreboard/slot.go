package scoreboard

import "sync/atomic"

// Slot is what one worker tells about itself. Every field is atomic: any goroutine of any process may use every method.
// The zero slot is a free one.
type Slot struct {
	beat     atomic.Int64 // CLOCK_MONOTONIC, ns
	requests atomic.Uint64
	pid      atomic.Int32
	state    atomic.Uint32
	busy     atomic.Int32
	crew     atomic.Int32 // the generation
	threads  atomic.Int32
	waiting  atomic.Int32
	oldest   atomic.Int64
	waits    atomic.Uint64
	waited   atomic.Int64
	_        [SlotSize - 64]byte
}

// Reset makes the slot free again. Only the master calls it, when no process uses the slot any more.
func (s *Slot) Reset() {
	s.beat.Store(0)
	s.requests.Store(0)
	s.pid.Store(0)
	s.busy.Store(0)
	s.crew.Store(0)
	s.threads.Store(0)
	s.waiting.Store(0)
	s.oldest.Store(0)
	s.waits.Store(0)
	s.waited.Store(0)
	s.state.Store(uint32(Free))
}

// Beat records that the worker was alive at nowNanos, as read from Now.
func (s *Slot) Beat(nowNanos int64) { s.beat.Store(nowNanos) }

// LastBeat is when the worker last called Beat, in the nanoseconds of Now; 0 = never.
func (s *Slot) LastBeat() int64 { return s.beat.Load() }

// SetPID records the process id of the worker.
func (s *Slot) SetPID(pid int) { s.pid.Store(int32(pid)) }

// PID is the process id of the worker; 0 = not known yet.
func (s *Slot) PID() int { return int(s.pid.Load()) }

// SetState records where in its life the worker is.
func (s *Slot) SetState(state State) { s.state.Store(uint32(state)) }

// State is where in its life the worker is.
func (s *Slot) State() State { return State(s.state.Load()) }

// Add changes the number of threads that run the application by delta, which may be negative.
func (s *Slot) Add(delta int) { s.busy.Add(int32(delta)) }

// Busy is the number of threads that run the application now.
func (s *Slot) Busy() int { return int(s.busy.Load()) }

// SetCrew records which generation the worker belongs to, and how many threads it has.
func (s *Slot) SetCrew(generation, threads int) {
	s.threads.Store(int32(threads))
	s.crew.Store(int32(generation))
}

// Threads is the number of threads of the worker that run the application; 0 until it has told.
func (s *Slot) Threads() int { return int(s.threads.Load()) }

// Idle reports whether the slot is that of a worker that takes requests for generation, and how many of its threads run
// nothing.
func (s *Slot) Idle(generation int) (threads int, serves bool) {
	if State(s.state.Load()) != Ready || int(s.crew.Load()) != generation {
		return 0, false
	}
	return max(0, int(s.threads.Load()-s.busy.Load())), true
}

// SetWaiting records how many requests wait for a thread of the worker, and since when the oldest does, in the
// nanoseconds of Now; 0 and 0 = none.
func (s *Slot) SetWaiting(count int, oldestNanos int64) {
	s.waiting.Store(int32(count))
	s.oldest.Store(oldestNanos)
}

// Waiting is the number of requests that wait for a thread of the worker now, and since when the oldest does, in the
// nanoseconds of Now. A worker looks at its queue while all of its threads are busy: requests that wait for less than a
// few milliseconds may not be counted, and those in a listening socket's backlog never are.
func (s *Slot) Waiting() (count int, oldestNanos int64) {
	return int(s.waiting.Load()), s.oldest.Load()
}

// AddWait counts a request that had to wait for a thread, and for how long.
func (s *Slot) AddWait(nanos int64) {
	s.waits.Add(1)
	s.waited.Add(nanos)
}

// Waited is how many requests had to wait for a thread since the worker started, and for how many nanoseconds in all.
func (s *Slot) Waited() (count uint64, nanos int64) { return s.waits.Load(), s.waited.Load() }

// AddRequest counts one more request and returns how many there have been.
func (s *Slot) AddRequest() uint64 { return s.requests.Add(1) }

// Requests is the number of requests that the worker has counted since it started.
func (s *Slot) Requests() uint64 { return s.requests.Load() }
