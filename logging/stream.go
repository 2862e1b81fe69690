package logging

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// maxPending is how much of the error log waits for a target that takes nothing; what comes beyond it is lost.
const maxPending = 256 << 10

// stream is the target of the error log. A message is written at once, by the one who logs it, as long as the target
// takes it. What it does not take waits in memory, and a goroutine writes it: a terminal that was stopped or a pipe
// that nobody reads keeps nobody waiting.
type stream struct {
	mu       sync.Mutex // guards the rest
	target   *target
	pending  []byte
	draining bool // the goroutine runs
	idle     chan struct{}
	losses   losses
	note     func(losses) []byte // the message that reports losses
}

// Write takes one message. A message that a file does not take goes to standard error: there is no other place left to
// tell of it. It never returns an error, because zerolog reports those through os.Stderr, and Go ends a process that
// writes to a closed standard error that way.
func (s *stream) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.target.follow(time.Now()); err != nil {
		s.losses.add(err, 0)
	}
	if report := s.losses.due(time.Now); report.err != nil && s.note != nil {
		s.put(s.note(report))
	}
	s.put(line)
	return len(line), nil
}

// put writes a message, or has it wait.
func (s *stream) put(line []byte) {
	if s.draining {
		s.keep(line)
		return
	}
	n, err := s.target.offer(line)
	switch {
	case err == nil:
	case errors.Is(err, errFull):
		s.keep(line[n:])
		s.draining, s.idle = true, make(chan struct{})
		go s.drain()
	case s.target.path != "":
		s.losses.add(err, 1)
		_, _ = unix.Write(unix.Stderr, line)
	}
}

func (s *stream) keep(line []byte) {
	if len(s.pending)+len(line) > maxPending {
		s.losses.add(errFull, 1)
		return
	}
	s.pending = append(s.pending, line...)
}

// drain writes what waits, until nothing does.
func (s *stream) drain() {
	for {
		s.mu.Lock()
		n, err := s.target.offer(s.pending)
		s.pending = s.pending[n:]
		if err != nil && !errors.Is(err, errFull) {
			s.losses.add(err, 1)
			s.pending = nil
		}
		if len(s.pending) == 0 {
			s.pending, s.draining = nil, false
			close(s.idle)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		var deadline time.Time
		s.target.writable(&deadline)
	}
}

// flush waits until nothing is pending, at most for limit.
func (s *stream) flush(limit time.Duration) {
	s.mu.Lock()
	draining, idle := s.draining, s.idle
	s.mu.Unlock()
	if !draining {
		return
	}
	select {
	case <-idle:
	case <-time.After(limit):
	}
}

func (s *stream) reopen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.target.reopen()
}

// tell is the text that reports losses.
func (l losses) tell() string {
	if l.lost == 0 {
		return fmt.Sprintf("Error log: %v", l.err)
	}
	return fmt.Sprintf("Error log: %v; %d messages lost", l.err, l.lost)
}
