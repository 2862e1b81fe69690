package workers

import (
	"os"
	"sync"
	"time"
)

// headDraining is how long a client may take for a request head while the worker drains.
const headDraining = 2 * time.Second

// heads are the connections in the lane whose request head is not whole yet. A client may take its time for a body, or
// go on reading; half a head is worth a bounded wait only, and a short one when the worker drains. Any goroutine.
type heads struct {
	limit time.Duration // 0 = none
	mu    sync.Mutex
	files map[*os.File]struct{}
}

func newHeads(limit time.Duration) heads { return heads{limit: limit, files: map[*os.File]struct{}{}} }

// begin bounds the wait for the rest of the head that comes on f.
func (h *heads) begin(f *os.File) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.files[f] = struct{}{}
	f.SetReadDeadline(after(h.limit))
}

// end forgets f, which may be closed afterwards.
func (h *heads) end(f *os.File) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.files, f)
}

// hurry shortens the wait, of those that wait and of those that will.
func (h *heads) hurry() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.limit == 0 || h.limit > headDraining {
		h.limit = headDraining
	}
	for f := range h.files {
		f.SetReadDeadline(after(h.limit))
	}
}
