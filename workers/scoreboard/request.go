package scoreboard

import (
	"fmt"
	"sync/atomic"
)

const (
	// RequestSize is the room of one running request in bytes.
	RequestSize = 256
	// ShownThreads is how many threads of a worker the board has room for. What runs in a thread beyond them is known
	// to the worker alone.
	ShownThreads = 64

	clientRoom = 46
	lineRoom   = 192
)

// Request is what one thread of a worker runs now. One thread writes it; anybody may read it.
type Request struct {
	start      atomic.Int64 // 0 = nothing; set last, cleared first
	clientSize uint8
	lineSize   uint8
	client     [clientRoom]byte
	line       [lineRoom]byte
	_          [RequestSize - 8 - 2 - clientRoom - lineRoom]byte
}

// Running is a copy of a Request.
type Running struct {
	Start  int64  // when it came to its thread, in the nanoseconds of Now
	Client string // address of the client; "" on a unix socket
	Line   string // "GET /path?query", cut to what there is room for
}

// Begin shows a request that begins at nowNanos. It allocates nothing.
func (r *Request) Begin(nowNanos int64, client, method, target []byte) {
	r.clientSize = uint8(copy(r.client[:], client))
	n := copy(r.line[:], method)
	if n < lineRoom {
		r.line[n] = ' '
		n++
	}
	n += copy(r.line[n:], target)
	r.lineSize = uint8(n)
	r.start.Store(nowNanos)
}

// End shows that the thread runs nothing.
func (r *Request) End() { r.start.Store(0) }

// Start is when the running request began, in the nanoseconds of Now; 0 = there is none.
func (r *Request) Start() int64 { return r.start.Load() }

// Read copies what is shown. It reports false when there is nothing, or when it changed meanwhile, which a request that
// hangs does not.
func (r *Request) Read() (Running, bool) {
	start := r.start.Load()
	if start == 0 {
		return Running{}, false
	}
	client, line := min(r.clientSize, clientRoom), min(r.lineSize, lineRoom)
	running := Running{Start: start, Client: string(r.client[:client]), Line: string(r.line[:line])}
	return running, r.start.Load() == start
}

// Describe is the request for the log, as it is at nowNanos.
func (r Running) Describe(nowNanos int64) string {
	return r.tell("has run for", nowNanos)
}

// DescribeLost is the same in a sentence about the worker, which has died with the request.
func (r Running) DescribeLost(nowNanos int64) string {
	return "It ran " + r.tell("for", nowNanos)
}

func (r Running) tell(how string, nowNanos int64) string {
	client := r.Client
	if client == "" {
		client = "unix"
	}
	return fmt.Sprintf("%q from ip=%s %s %.2f s", r.Line, client, how, float64(nowNanos-r.Start)/1e9)
}

// Request is the place of a thread of the worker in slot i. A thread beyond ShownThreads has none: nil.
func (b *Board) Request(i, thread int) *Request {
	if thread >= ShownThreads {
		return nil
	}
	return &b.requests[i][thread]
}

// Running are the requests that the worker in slot i runs now. The worker need not live any more.
func (b *Board) Running(i int) []Running {
	var all []Running
	for thread := range b.requests[i] {
		if running, ok := b.requests[i][thread].Read(); ok {
			all = append(all, running)
		}
	}
	return all
}

// Clear makes slot i free and shows nothing in it. Only the master calls it, when no process uses the slot any more.
func (b *Board) Clear(i int) {
	b.slots[i].Reset()
	for thread := range b.requests[i] {
		if r := &b.requests[i][thread]; r.Start() != 0 {
			r.End()
		}
	}
}
