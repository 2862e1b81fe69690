package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// SIGTERM: what has begun is finished, idle connections are closed, everybody leaves.
func TestTermFinishesRequests(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "process", Kind: kind, Env: []string{gate.Env()}})
		pid := s.Workers()[0]
		c := s.Dial()
		c.Send(get("/gate"))
		visitor := gate.Await()
		s.Signal(syscall.SIGTERM)
		s.WaitLog(`Handling signal: term`, 1)
		visitor.Release()
		r := c.Next("GET")
		var report processReport
		r.JSON(t, &report)
		if report.PID != pid || r.Truncated {
			t.Errorf("%+v from %d", r, pid)
		}
		c.ExpectClosed()
		s.WaitExit(0)
		s.WaitLog(fmt.Sprintf(`\[%d\] \[INFO\] Worker exiting \(pid: %d\)`, pid, pid), 1)
		s.WaitLog(fmt.Sprintf(`\[%d\] \[INFO\] Shutting down: Master`, s.PID), 1)
	})
}

func TestTermClosesIdleConnections(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "process", Kind: kind, Args: []string{"--keep-alive", "60"}})
		used, fresh := s.Dial(), s.Dial()
		used.Roundtrip(get("/"))
		begin := time.Now()
		s.Signal(syscall.SIGTERM)
		s.WaitExit(0)
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("idle connections held the stop up for %v", took)
		}
		used.ExpectClosed()
		fresh.ExpectClosed()
	})
}

// Who has sent half a head does not hold the stop up for longer than the graceful timeout.
func TestTermAndHalfHead(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "process", Kind: kind, Args: []string{"--graceful-timeout", "1"}})
		s.Allow(`SIGKILL|graceful timeout|graceful_timeout`)
		c := s.Dial()
		c.Send("GET / HT")
		begin := time.Now()
		s.Signal(syscall.SIGTERM)
		s.WaitExit(0)
		if took := time.Since(begin); took > 8*time.Second {
			t.Errorf("the stop took %v", took)
		}
	})
}

// A request that does not end is given up after --graceful-timeout.
func TestTermGivesUpAfterGracefulTimeout(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "process", Kind: kind, Env: []string{gate.Env()},
			Args: []string{"--graceful-timeout", "1"}})
		s.Allow(`SIGKILL|graceful timeout|graceful_timeout`)
		c := s.Dial()
		c.Send(get("/gate"))
		gate.Await()
		begin := time.Now()
		s.Signal(syscall.SIGTERM)
		c.Next("GET").wantStatus(t, 504) // half a second before the end
		s.WaitExit(0)
		if took := time.Since(begin); took < 450*time.Millisecond || took > 10*time.Second {
			t.Errorf("the stop took %v", took)
		}
	})
}

// SIGINT and SIGQUIT wait for nobody.
func TestQuickStop(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT} {
		t.Run(signal.String(), func(t *testing.T) {
			forEachWorkerKind(t, func(t *testing.T, kind Kind) {
				gate := NewGate(t)
				s := Start(t, Options{App: "process", Kind: kind, Env: []string{gate.Env()}})
				s.Allow(`SIGKILL`)
				c := s.Dial()
				c.Send(get("/gate"))
				gate.Await()
				begin := time.Now()
				s.Signal(signal)
				s.WaitExit(0)
				if took := time.Since(begin); took > 8*time.Second {
					t.Errorf("the stop took %v", took)
				}
			})
		})
	}
}

// Whoever loses patience during a graceful stop sends a second signal.
func TestQuickStopDuringGracefulStop(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "process", Kind: kind, Env: []string{gate.Env()}})
		s.Allow(`SIGKILL`)
		c := s.Dial()
		c.Send(get("/gate"))
		gate.Await()
		begin := time.Now()
		s.Signal(syscall.SIGTERM)
		s.WaitLog(`Handling signal: term`, 1)
		s.Signal(syscall.SIGQUIT)
		s.WaitExit(0)
		if took := time.Since(begin); took > 8*time.Second {
			t.Errorf("the stop took %v", took)
		}
	})
}

// Ctrl-C in a terminal reaches every process of the group.
func TestInterruptToTheWholeGroup(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "process", Kind: kind, Workers: 2})
		syscall.Kill(-s.PID, syscall.SIGINT)
		s.WaitExit(0)
	})
}

// Some supervisors send SIGTERM to all processes: the master alone says when the workers stop, and replaces none.
func TestTermToTheWholeGroup(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "process", Kind: kind, Workers: 2, Args: []string{"--drain-delay", "1"}})
		syscall.Kill(-s.PID, syscall.SIGTERM)
		s.WaitExit(0)
		if n := strings.Count(s.Log(), "Booting worker"); n != 2 {
			t.Errorf("%d workers booted, want the first 2 alone", n)
		}
	})
}

// --drain-delay: connections are accepted and answered until it is over, but none is kept. A second signal ends it.
func TestDrainDelay(t *testing.T) {
	for name, seconds := range map[string]string{"over": "2", "hastened": "60"} {
		t.Run(name, func(t *testing.T) {
			forEachWorkerKind(t, func(t *testing.T, kind Kind) {
				s := Start(t, Options{App: "process", Kind: kind, Workers: 2,
					Args: []string{"--drain-delay", seconds, "--keep-alive", "60"}})
				kept := s.Dial()
				kept.Roundtrip(get("/")).wantStatus(t, 200)
				begin := time.Now()
				s.Signal(syscall.SIGTERM)
				s.WaitLog(`Stopping in \d+m?\d*s \(drain_delay\)`, 1)
				eventually(t, "answers close their connections", func() bool {
					c := s.Dial()
					r := c.Roundtrip(get("/"))
					r.wantStatus(t, 200)
					return r.Closes()
				})
				eventually(t, "those of the other worker do, too", func() bool {
					r := kept.Roundtrip(get("/"))
					r.wantStatus(t, 200)
					return r.Closes()
				})
				kept.ExpectClosed()
				if name == "hastened" {
					s.Signal(syscall.SIGTERM)
				}
				s.WaitExit(0)
				if took := time.Since(begin); name == "over" && took < 1900*time.Millisecond || took > 20*time.Second {
					t.Errorf("the stop took %v", took)
				}
			})
		})
	}
}

// A thread that sends a response to a client that takes nothing of it comes back before its worker would be killed.
func TestTermAndThreadThatSends(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		for _, limit := range []string{"0", "1M"} {
			t.Run(limit, func(t *testing.T) {
				t.Parallel()
				notes := filepath.Join(t.TempDir(), "notes")
				s := Start(t, Options{App: "exit_handler", Kind: kind, Env: []string{"NOTES=" + notes}, Args: []string{
					"--graceful-timeout", "2", "--spool-response-limit", limit}})
				taking := s.Dial()
				taking.Send(get("/endless"))
				taking.Read(make([]byte, 1000))
				s.Expect(`Worker graceful timeout \(pid:\d+\): cutting a response .*: "GET /endless" from ip=\S+ has run for`)
				s.Signal(syscall.SIGTERM)
				s.WaitExit(0)
				if _, err := os.Stat(notes); err != nil {
					t.Errorf("no exit handler ran: %v", err)
				}
			})
		}
	})
}

// Clients that take or send nothing do not keep a worker from an orderly end: its exit handlers run, and the access log
// has the file that was cut.
func TestTermAndClientsThatWait(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		notes := filepath.Join(t.TempDir(), "notes")
		directory := files(t, map[string]string{"large": strings.Repeat("x", 32<<20)})
		s := Start(t, Options{App: "exit_handler", Kind: kind, Env: []string{"NOTES=" + notes}, Args: []string{
			"--static", "/files=" + directory, "--graceful-timeout", "2", "--access-logfile", "-", "--access-logformat",
			"%(U)s %(s)s %(B)s"}})
		taking, sending := s.Dial(), s.Dial()
		taking.Send(request("/files/large"))
		taking.Read(make([]byte, 1000))
		sending.Send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nabc")
		s.Get("/").wantStatus(t, 200)
		s.Expect(`Worker graceful timeout \(pid:\d+\): closing .*: 1`)
		s.Signal(syscall.SIGTERM)
		s.WaitExit(0)
		if _, err := os.Stat(notes); err != nil {
			t.Errorf("no exit handler ran: %v", err)
		}
		if log := s.Log() + s.Output(); !regexp.MustCompile(`/files/large 200 \d{5,7}\n`).MatchString(log) {
			t.Errorf("the access log has no line of the file, or not of a part:\n%s", log)
		}
	})
}
