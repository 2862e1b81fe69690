package tests

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// overrun is the log record of a request that took too long, from its request line to the function where it was.
func overrun(path, where string) string {
	return fmt.Sprintf(`\[ERROR\] REQUEST TIMEOUT \(pid:\d+\): "GET %s" from ip=127.0.0.1 has run for .*in %s`,
		path, where)
}

func (r *Response) wantStatus(t *testing.T, status int) {
	t.Helper()
	if r.Status != status {
		t.Errorf("got %d %q, want %d", r.Status, r.Body, status)
	}
}

// --request-timeout: what Python code can notice ends in an exception, 504, and a worker that goes on.
func TestRequestTimeoutInterrupts(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "stuck", Kind: kind, Args: []string{"--request-timeout", "1"}})
		pid := s.Workers()[0]
		for path, where := range map[string]string{"/loop": "loop", "/stubborn": "stubborn"} {
			s.Expect(overrun(path, where))
			begin := time.Now()
			s.Do(get(path)).wantStatus(t, 504)
			if took := time.Since(begin); took < 900*time.Millisecond {
				t.Errorf("%s: interrupted after %v", path, took)
			}
		}
		if body := s.Get("/").Body; body != fmt.Sprintf("%d loop", pid) {
			t.Errorf("afterwards: %q; the worker is another one, or finally was not run", body)
		}
	})
}

// A response that has begun is cut, and what hangs in close() loses no response.
func TestRequestTimeoutAfterTheHead(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "stuck", Kind: kind, Args: []string{"--request-timeout", "1"}})
		s.Expect(overrun("/stream", "loop"))
		s.Expect(overrun("/close", "loop"))
		c := s.Dial()
		c.Send(get("/stream"))
		if r, err := readResponse(c.reader, "GET"); err != nil || r.Status != 200 || !r.Truncated {
			t.Errorf("a response that hangs after its first block: %v, %v", r, err)
		}
		s.Do(get("/close")).Want(t, 200, "body")
		s.Expect(overrun("/error_close", "loop"))
		s.Expect(`Error handling request GET /error_close\nTraceback .*ValueError: before the close`)
		s.Do(get("/error_close")).wantStatus(t, 500)
		s.Get("/").wantStatus(t, 200)
	})
}

// What Python code cannot notice is answered in its place. If it comes back, the worker stays.
func TestRequestTimeoutAnswersForTheThread(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "stuck", Kind: kind, Args: []string{"--request-timeout", "1", "--access-logfile", "-",
			"--access-logformat", "%(r)s %(U)s %(H)s %(s)s %(a)s %({server_name}e)s"}})
		pid := s.Workers()[0]
		s.Expect(overrun(`/nap\?x+`, "nap"))
		long := strings.Repeat("x", 500)
		begin := time.Now()
		s.Do("GET /nap?"+long+" HTTP/1.0\r\nUser-Agent: its own\r\n\r\n").wantStatus(t, 504)
		if took := time.Since(begin); took > 1450*time.Millisecond && took < 2*time.Second {
			t.Logf("answered after %v only: a busy machine", took)
		}
		want := "\nGET /nap?" + long + " HTTP/1.0 /nap HTTP/1.0 504 its\\x20own 127.0.0.1\n"
		eventually(t, "the access log tells the request", func() bool { return strings.HasSuffix(s.Output(), want) })
		s.Get("/").Want(t, 200, fmt.Sprintf("%d ", pid))
	})
}

// If it does not, the worker is replaced: the replacement first, the other requests of the worker to their end.
func TestRequestTimeoutReplacesTheWorker(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/sleep", "/gil"} {
		for _, kind := range []Kind{syncKind, gthreadKind} {
			t.Run(kind.Name+path, func(t *testing.T) {
				t.Parallel()
				s := Start(t, Options{App: "stuck", Kind: kind, Args: []string{"--request-timeout", "1"}})
				pid := s.Workers()[0]
				s.Expect(overrun(path, map[string]string{"/sleep": "sleep", "/gil": "hold_gil"}[path]))
				s.Expect(fmt.Sprintf(`A request does not come back: this worker \(pid:%d\) is replaced`, pid))
				s.Allow(fmt.Sprintf(`Worker \(pid:%d\) `, pid))
				var slow *Conn
				if path == "/sleep" && kind.Threads > 1 { // it is limited on its own, and ends after the replacement came
					slow = s.Dial()
					slow.Send(get("/long"))
				}
				s.Do(get(path)).wantStatus(t, 504)
				if slow != nil {
					slow.Next("GET").Want(t, 200, fmt.Sprintf("%d ", pid))
				}
				s.smokeStuck(pid)
			})
		}
	}
}

func (s *Server) smokeStuck(gone int) {
	s.t.Helper()
	eventually(s.t, "the worker is gone", func() bool { return !alive(gone) })
	s.WaitWorkers(1)
	s.Get("/").wantStatus(s.t, 200)
	if strings.Count(s.Log(), "Booting worker") != 2 {
		s.t.Error("more than one replacement")
	}
}

// pyhost.request_timeout() shortens, lengthens and lifts the limit of one request.
func TestRequestTimeoutOfOneRequest(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "stuck", Kind: kind, Args: []string{"--request-timeout", "1"}})
		s.Expect(overrun(`/own\?seconds=0.3`, "own_limit"))
		begin := time.Now()
		s.Do(get("/own?seconds=0.3")).wantStatus(t, 504)
		if took := time.Since(begin); took < 250*time.Millisecond {
			t.Errorf("interrupted after %v", took)
		}
		s.Do(get("/unlimited")).wantStatus(t, 200)
	})
}

// An interruption that comes as the request ends never reaches the next request of the thread.
func TestRequestTimeoutAtTheEnd(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "stuck", Kind: kind})
		s.Allow(overrun("/near", ""))
		ended := map[int]int{}
		for range 100 {
			r := s.Do(get("/near"))
			ended[r.Status]++
			s.Do(get("/")).wantStatus(t, 200)
		}
		if ended[200]+ended[504] != 100 {
			t.Errorf("answers: %v", ended)
		}
		t.Logf("answers: %v", ended)
	})
}

// --boot-timeout: a hung import fails like any other, with its stack.
func TestBootTimeout(t *testing.T) {
	t.Parallel()
	for name, env := range map[string][]string{"python": nil, "gil": {"HOLD=1"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Options{App: "stuck_import", Args: []string{"--boot-timeout", "1"}, Env: env, Cold: true})
			s.Expect(`in connect`)
			s.Expect(`failed to boot: the application was not imported within 1s \(boot_timeout\)`)
			s.Expect(`Reason: Worker failed to boot`)
			s.WaitExit(3)
		})
	}
}

// SIGABRT from outside ends a worker as a timeout does; abort() in it is a crash that dies of its signal.
func TestAbort(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "process", Kind: syncKind})
	first := s.Workers()[0]
	s.Expect(fmt.Sprintf(`Worker \(pid:%d\) exited with code 1`, first))
	if err := syscall.Kill(first, syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	s.smoke(1, first)
	second := s.Workers()[0]
	s.Expect(`Fatal Python error: Aborted.*in application`)
	s.Allow(fmt.Sprintf(`Worker \(pid:%d\) |failed 2 times in a row`, second))
	s.Dial().Send(get("/abort"))
	s.smoke(1, second)
}

// The same with --preload, where the import happens before there are workers.
func TestBootTimeoutPreload(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "stuck_import", Args: []string{"--boot-timeout", "1", "--preload"}, Cold: true})
	s.Expect(`failed to boot: the application was not imported within 1s \(boot_timeout\).*in connect`)
	s.Expect(`Reason: Worker failed to boot`)
	s.WaitExit(3)
}

// A request, a close() or an atexit handler that does not end holds a stop up for graceful_timeout, and no longer: what
// can be answered is, and the log says where it was.
func TestGracefulTimeoutTells(t *testing.T) {
	t.Parallel()
	for path, status := range map[string]int{"/sleep": 504, "/gil": 504, "/close": 200} {
		for _, kind := range []Kind{syncKind, gthreadKind} {
			t.Run(kind.Name+path, func(t *testing.T) {
				t.Parallel()
				s := Start(t, Options{App: "stuck", Kind: kind, Args: []string{"--graceful-timeout", "1"}})
				pid := s.Workers()[0]
				c := s.Dial()
				c.Send(get(path))
				s.waitBusy(pid, path)
				s.Expect(fmt.Sprintf(`Worker graceful timeout \(pid:%d\)\n"GET %s" from .*in `, pid, path))
				s.Allow(`SIGKILL`)
				s.Signal(syscall.SIGTERM)
				c.Next("GET").wantStatus(t, status)
				s.WaitExit(0)
			})
		}
	}
}

func TestHungAtexit(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "stuck", Kind: syncKind, Args: []string{"--graceful-timeout", "1"}})
	s.Get("/atexit").wantStatus(t, 200)
	s.Expect(`Worker graceful timeout \(pid:\d+\).*in sleep`)
	s.Allow(`SIGKILL`)
	s.Signal(syscall.SIGTERM)
	s.WaitExit(0)
}

// waitBusy waits until the worker has taken the request up, of which the application writes to standard output.
func (s *Server) waitBusy(pid int, path string) {
	s.t.Helper()
	line := fmt.Sprintf("busy %d %s\n", pid, path)
	eventually(s.t, "the request runs", func() bool { return strings.Contains(s.Output(), line) })
}
