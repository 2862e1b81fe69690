package arbiter

// replace starts another worker on the seat of w, which goes on until that one is ready. One on each seat at a time.
func (a *arbiter) replace(w *worker, reason string) {
	s := w.seat
	if s == nil || s.leaving != nil || w.stopping || w.exited {
		return
	}
	a.log.Info("Replacing worker (pid:%d): %s", w.pid, reason)
	w.seat, s.worker, s.leaving = nil, nil, w
}

// relieve stops the worker that the one on seat s has replaced.
func (a *arbiter) relieve(s *seat) {
	if s != nil && s.leaving != nil {
		w := s.leaving
		s.leaving = nil
		a.stopWorker(w, true)
	}
}
