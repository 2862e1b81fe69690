package workers

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/workers/scoreboard"
)

// runOut is called shortly before graceful_timeout is over: what still runs is given up, and then what only waits for
// a client, so that the worker ends in order.
func (w *worker) runOut() {
	w.surrender()
	w.lane.sending.cut()
	time.AfterFunc(drainPeriod, func() { w.overtime.Store(true) })
}

// leaveClients ends a worker whose time has run out without the clients that it still has: at once where no request
// runs, and else it frees the threads that wait for a client. Only drainIdle calls it.
func (w *worker) leaveClients() {
	if !w.overtime.Load() || w.finished() {
		return
	}
	if w.serves() {
		w.cutStuck()
		return
	}
	clients := w.table.count.Load() - w.abandoned.Load()
	w.log.Warning("Worker graceful timeout (pid:%d): closing the connections whose clients have not taken all of a "+
		"response, or not sent all of a request: %d", w.pid, clients)
	w.quick.Store(true)
	w.poller.wake(w.threads)
}

// cutStuck ends the responses that threads send to clients which do not take them.
func (w *worker) cutStuck() {
	for i := range w.runners {
		t := w.runners[i].Load()
		if t == nil {
			continue
		}
		what := t.described(scoreboard.Now())
		if t.cutStuck() {
			w.log.Warning("Worker graceful timeout (pid:%d): cutting a response that its client does not take: %s", w.pid, what)
		}
	}
}

// serves reports whether a thread runs a request that nobody else has answered.
func (w *worker) serves() bool {
	for i := range w.runners {
		if t := w.runners[i].Load(); t != nil {
			if g, ok := t.look(); ok && g.state() != embedpy.ClaimLost {
				return true
			}
		}
	}
	return false
}

// sending is the connections to which the lane sends files that have no line in the access log yet. Any goroutine.
type sending struct {
	mu    sync.Mutex
	over  bool
	files map[*os.File]struct{}
}

func newSending() sending { return sending{files: map[*os.File]struct{}{}} }

func (s *sending) begin(f *os.File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[f] = struct{}{}
	if s.over {
		shutdown(f, unix.SHUT_RDWR)
	}
}

// end forgets f, which may be closed afterwards.
func (s *sending) end(f *os.File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, f)
}

// cut ends what is being sent: whoever sends it finds out, and writes the line of the access log.
func (s *sending) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	for f := range s.files {
		shutdown(f, unix.SHUT_RDWR)
	}
}
