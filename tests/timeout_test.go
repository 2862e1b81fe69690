package tests

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// --timeout: a sync worker that is silent for so long is killed and replaced, whether it waits, spins or holds the GIL
// in C. One record tells what it did, and the client gets an answer.
func TestHungSyncWorkerIsReplaced(t *testing.T) {
	t.Parallel()
	for path, where := range map[string]string{"/sleep": "in sleep", "/loop": "in loop", "/gil": "in hold_gil"} {
		t.Run(path[1:], func(t *testing.T) {
			t.Parallel()
			s := Start(t, Options{App: "stuck", Kind: syncKind, Args: []string{"--timeout", "1"}})
			pid := s.Workers()[0]
			s.Expect(fmt.Sprintf(`\[CRITICAL\] WORKER TIMEOUT \(pid:%d\)\n"GET %s" from ip=127.0.0.1 has run for [1-9].*%s`,
				pid, path, where))
			s.Expect(fmt.Sprintf(`Worker \(pid:%d\) exited with code 1`, pid))
			begin := time.Now()
			s.Do(get(path)).wantStatus(t, 504)
			eventually(t, "the worker is gone", func() bool { return !alive(pid) })
			if took := time.Since(begin); took < 900*time.Millisecond || took > 10*time.Second {
				t.Errorf("killed after %v", took)
			}
			s.WaitWorkers(1)
			s.Get("/").wantStatus(t, 200)
		})
	}
}

// A worker that cannot even be asked is killed, and the scoreboard tells what it did.
func TestFrozenWorkerIsKilled(t *testing.T) {
	t.Parallel()
	gate := NewGate(t)
	s := Start(t, Options{App: "process", Kind: syncKind, Args: []string{"--timeout", "1"}, Env: []string{gate.Env()}})
	pid := s.Workers()[0]
	s.Expect(fmt.Sprintf(`\[CRITICAL\] WORKER TIMEOUT \(pid:%d\)\n"GET /gate" from ip=127.0.0.1 has run for`, pid))
	s.Expect(fmt.Sprintf(`Worker \(pid:%d\) was sent SIGKILL!`, pid))
	s.Dial().Send(get("/gate"))
	gate.Await()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	s.smoke(1, pid)
}

// In gthread the heartbeat is the worker's, not the request's: a long request is not killed.
func TestLongRequestInGthread(t *testing.T) {
	t.Parallel()
	gate := NewGate(t)
	s := Start(t, Options{App: "process", Kind: gthreadKind, Args: []string{"--timeout", "1"}, Env: []string{gate.Env()}})
	pid := s.Workers()[0]
	c := s.Dial()
	c.Send(get("/gate"))
	visitor := gate.Await()
	begin := time.Now()
	eventually(t, "three seconds pass", func() bool { return time.Since(begin) > 3*time.Second || !alive(pid) })
	visitor.Release()
	var report processReport
	c.Next("GET").JSON(t, &report)
	if report.PID != pid {
		t.Errorf("answered by %d, not %d", report.PID, pid)
	}
}

// An idle worker is not a hung one.
func TestIdleWorkerIsNotTimedOut(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "process", Kind: kind, Args: []string{"--timeout", "1"}})
		pid := s.Workers()[0]
		begin := time.Now()
		eventually(t, "three seconds pass", func() bool { return time.Since(begin) > 3*time.Second || !alive(pid) })
		if report := s.process(); report.PID != pid {
			t.Errorf("worker %d was replaced by %d", pid, report.PID)
		}
	})
}
