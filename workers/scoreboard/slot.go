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
	_        [SlotSize - 28]byte
}

// Reset makes the slot free again. Only the master calls it, when no process uses the slot any more.
func (s *Slot) Reset() {
	s.beat.Store(0)
	s.requests.Store(0)
	s.pid.Store(0)
	s.busy.Store(0)
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

// AddRequest counts one more request and returns how many there have been.
func (s *Slot) AddRequest() uint64 { return s.requests.Add(1) }

// Requests is the number of requests that the worker has counted since it started.
func (s *Slot) Requests() uint64 { return s.requests.Load() }
