package workers

import (
	"os"
	"sync"
	"time"
)

const (
	headLimit    = 60 * time.Second // for a head that did not come in one piece
	headDraining = 2 * time.Second  // the same while the worker drains
)

// heads are the connections in the lane whose request head is not whole yet. A client may take its time for a body, or
// go on reading; half a head is worth a bounded wait only, and a short one when the worker drains. Any goroutine.
type heads struct {
	limit time.Duration
	mu    sync.Mutex
	files map[*os.File]struct{}
}

func newHeads() heads { return heads{limit: headLimit, files: map[*os.File]struct{}{}} }

// begin bounds the wait for the rest of the head that comes on f.
func (h *heads) begin(f *os.File) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.files[f] = struct{}{}
	f.SetReadDeadline(time.Now().Add(h.limit))
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
	h.limit = min(h.limit, headDraining)
	for f := range h.files {
		f.SetReadDeadline(time.Now().Add(h.limit))
	}
}
