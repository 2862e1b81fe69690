package workers

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/socket"
)

// startAccepting puts the listeners into the poller, unless the worker is leaving.
func (w *worker) startAccepting() error {
	w.acceptMu.Lock()
	defer w.acceptMu.Unlock()
	if w.accepting || w.leaving {
		return nil
	}
	for _, l := range w.listeners {
		if err := w.poller.addListener(l.fd); err != nil && !errors.Is(err, unix.EEXIST) { // added by a try that failed
			return err
		}
	}
	if w.handover != nil {
		if err := w.poller.addHandover(w.handover.receive); err != nil && !errors.Is(err, unix.EEXIST) {
			return err
		}
	}
	w.accepting = true
	w.paused.Store(false)
	w.full.Store(false)
	return nil
}

// pauseAccepting takes them out: what comes waits in the kernel's backlog, or goes to a sibling.
func (w *worker) pauseAccepting() {
	w.acceptMu.Lock()
	defer w.acceptMu.Unlock()
	if !w.accepting {
		return
	}
	w.accepting = false
	w.paused.Store(true)
	w.removeListeners()
}

// resumeAccepting ends a pause when there is room for a connection. Whoever makes room, or waited, calls it.
func (w *worker) resumeAccepting() {
	if !w.hasRoom() {
		return
	}
	var errno unix.Errno
	if err := w.startAccepting(); errors.As(err, &errno) {
		w.acceptFailed(errno)
	}
}

// endAccepting takes the listeners out for good and reports whether they were in.
func (w *worker) endAccepting() bool {
	w.acceptMu.Lock()
	defer w.acceptMu.Unlock()
	was := w.accepting
	w.accepting, w.leaving = false, true
	w.removeListeners()
	return was
}

func (w *worker) removeListeners() {
	for _, l := range w.listeners {
		_ = w.poller.remove(l.fd)
	}
	if w.handover != nil {
		_ = w.poller.remove(w.handover.receive)
	}
}

func (w *worker) isAccepting() bool {
	w.acceptMu.Lock()
	defer w.acceptMu.Unlock()
	return w.accepting
}

// acceptOne takes one connection from a listener; it is the caller's. nil if there is none, or no room for it.
func (w *worker) acceptOne(listener int) *conn {
	if w.draining.Load() {
		return nil // the number may be another descriptor's by now
	}
	if w.table.count.Load() >= w.maxConns {
		w.givingWay.Lock() // until it is accepted: another thread must not make room for the same connection
		defer w.givingWay.Unlock()
		if !w.makeRoom(listener) {
			return nil
		}
	}
	if !w.reserve() {
		return nil
	}
	return w.acceptReserved(listener)
}

// acceptReserved is acceptOne for a caller that has counted the connection already.
func (w *worker) acceptReserved(listener int) *conn {
	fd, peer, errno := socket.Accept(listener)
	if errno != 0 {
		w.gone()
		w.acceptFailed(errno)
		return nil
	}
	c, ok := w.table.add(fd)
	w.gone() // c counts itself
	if !ok {
		unix.Close(fd)
		w.acceptFailed(unix.EMFILE)
		return nil
	}
	w.identify(c, listener, peer)
	return c
}

// reserve counts a connection that is about to come, so that a worker which drains does not end under it; whoever
// reserves counts it out again with gone. It reports false, and nothing is counted, once the worker drains: whoever
// finds that no connection is left may end it at any moment.
func (w *worker) reserve() bool {
	w.table.count.Add(1)
	if !w.draining.Load() {
		return true
	}
	w.gone()
	return false
}

// limitConnections enforces worker_connections: a worker whose connections all have something to do accepts no more.
func (w *worker) limitConnections() {
	if w.hasRoom() {
		return
	}
	w.full.Store(true)
	w.pauseAccepting()
	w.resumeAccepting() // one may have closed meanwhile and have seen the listeners still in place
}

// hasRoom tells whether another connection can be taken: a place is free, or an idle connection can give way.
func (w *worker) hasRoom() bool {
	return w.table.count.Load() < w.maxConns || w.oldestIdle(scoreboard.Now()) != nil
}

// acceptFailed complains at most once a second. When descriptors or memory have run out the listener stays ready, so
// the worker stops accepting until a connection closes or a moment has passed.
func (w *worker) acceptFailed(errno unix.Errno) {
	if w.draining.Load() {
		return // the listeners may be closed already
	}
	switch errno {
	case unix.EAGAIN, unix.ECONNABORTED, unix.EINTR:
		return
	}
	if errno == unix.EMFILE {
		w.scarce.Store(true)
	}
	now := scoreboard.Now()
	if last := w.acceptError.Load(); now-last > int64(time.Second) && w.acceptError.CompareAndSwap(last, now) {
		w.log.Error("Cannot accept connections: %v; trying again%s", error(errno), w.remedy(errno))
	}
	w.pauseAccepting()
	time.AfterFunc(100*time.Millisecond, w.resumeAccepting)
}

// closeFor closes a connection that cannot be served. If that is for want of descriptors the worker takes no others for
// a moment: it would always be free for more of them, while its siblings may be able to serve them.
func (w *worker) closeFor(c *conn, cause error) {
	w.log.Error("Closing the connection of ip=%s: %v", c.peer(), cause)
	w.close(c)
	if errors.Is(cause, unix.EMFILE) {
		w.acceptFailed(unix.EMFILE)
	}
}

// remedy says what to do about descriptors that have run out.
func (w *worker) remedy(errno unix.Errno) string {
	switch errno {
	case unix.EMFILE:
		return fmt.Sprintf(". A worker may open %d: raise that (ulimit -n, LimitNOFILE= of systemd), or lower "+
			"worker_connections, which is %d", descriptorLimit(), w.maxConns)
	case unix.ENFILE:
		return ": raise the system's limit (sysctl fs.file-max)"
	}
	return ""
}
