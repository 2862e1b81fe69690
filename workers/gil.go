package workers

import (
	"runtime"
	"sync"
	"time"

	"github.com/pyhost/pyhost/embedpy"
)

// visitor lets goroutines that are no Python threads take the GIL, until the interpreter ends: a thread that asks for
// it then is killed by Python.
type visitor struct {
	mu     sync.Mutex // held during a visit
	closed bool
	once   sync.Once
	jobs   chan func()
}

// visit runs work, which takes the GIL, on the calling goroutine, which must be locked to its thread. It waits for the
// GIL; after close it does nothing.
func (v *visitor) visit(work func()) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return false
	}
	work()
	return true
}

// later has work done by a thread kept for that, which may have to wait for the GIL. It reports false when too much
// waits already.
func (v *visitor) later(work func()) bool {
	v.once.Do(func() {
		v.jobs = make(chan func(), 256)
		go v.serve()
	})
	select {
	case v.jobs <- work:
		return true
	default:
		return false
	}
}

func (v *visitor) serve() {
	runtime.LockOSThread() // Python has a thread state for the thread that visits
	for work := range v.jobs {
		v.visit(work)
	}
}

// free reports whether the GIL could be had within a time.
func (v *visitor) free(within time.Duration) bool {
	had := make(chan struct{})
	if !v.later(func() { embedpy.ProbeGIL(); close(had) }) {
		return false
	}
	select {
	case <-had:
		return true
	case <-time.After(within):
		return false
	}
}

// close makes sure that no visit is under way, now or later.
func (v *visitor) close() {
	v.mu.Lock()
	v.closed = true
	v.mu.Unlock()
}

// interpreter is Python as others than its own threads see it, so that tests can put functions in its place. The first
// three are for visits.
type interpreter struct {
	probe     func()
	interrupt func(thread int, serial uint64) (stack string, done bool)
	stacks    func() string
	dump      func() string // the stacks, without the GIL
}

var embeddedInterpreter = interpreter{
	probe: embedpy.ProbeGIL, interrupt: embedpy.Interrupt, stacks: embedpy.Stacks, dump: embedpy.DumpStacks,
}
