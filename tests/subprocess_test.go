package tests

import (
	"syscall"
	"testing"
)

// Applications start processes in every way that Python knows, and get their true exit codes.
func TestSubprocesses(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "subprocesses", Kind: kind})
		s.Allow(`Traceback.*in the child|the child says why`)
		for _, c := range []struct{ path, answer string }{
			{"/run", "42 5"},
			{"/codes", "1 2 3 4 5 6 7 8 9 10"},
			{"/shell", "3"},
			{"/killed", "-15"},
			{"/forked", "9"},
			{"/unwound_by_exit", "7"},
			{"/unwound_by_exception", "1"},
			{"/unwound_by_message", "1"},
			{"/unwound_by_return", "0"},
			{"/process", "144 0"},
			{"/terminated", "-15"},
			{"/terminated_at_once", "-15"},
			{"/pool", "55"},
			{"/dispositions", "True set()"},
		} {
			for range 2 {
				s.Get(c.path).Want(t, 200, c.answer)
			}
		}
		s.WaitLog(`the child says why`, 2) // what sys.exit(message) says
		if len(s.Workers()) != 1 {
			t.Errorf("workers %v", s.Workers())
		}
	})
}

// A child that a destructor or a signal handler has forked does not return to the application: the server ends it.
func TestForkedUnasked(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "subprocesses", Kind: kind})
		t.Cleanup(func() { s.Get("/kill_unasked") })
		ended := func() bool { return s.Get("/unasked").Body == "1 0" }
		s.Get("/of_destructor").Want(t, 200, "")
		eventually(t, "the destructor's child has ended", ended)
		if err := syscall.Kill(s.Workers()[0], syscall.SIGALRM); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the signal handler's child has ended", ended)
	})
}
