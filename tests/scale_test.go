package tests

import (
	"slices"
	"syscall"
	"testing"
)

// SIGTTIN adds a worker, SIGTTOU takes the oldest away, never the last.
func TestScaling(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Kind: kind})
		first := s.Workers()[0]
		s.Signal(syscall.SIGTTIN)
		s.WaitWorkers(2)
		s.Signal(syscall.SIGTTIN)
		three := s.WaitWorkers(3)
		s.Signal(syscall.SIGTTOU)
		two := s.WaitWorkers(2)
		if !slices.Equal(two, three[1:]) || slices.Contains(two, first) {
			t.Errorf("of the workers %v remain %v: the oldest should go", three, two)
		}
		s.Signal(syscall.SIGTTOU)
		last := s.WaitWorkers(1)
		s.Signal(syscall.SIGTTOU)
		s.WaitLog(`Handling signal: ttou`, 3)
		s.Get("/").Want(t, 200, "Hello, world!\n")
		if now := s.WaitWorkers(1); now[0] != last[0] {
			t.Errorf("the last worker %d was replaced by %d", last[0], now[0])
		}
	})
}
