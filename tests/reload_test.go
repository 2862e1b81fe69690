package tests

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// release is a copy of pyapps/version whose code a test may change.
type release struct {
	t   *testing.T
	dir string
}

func newRelease(t *testing.T) *release {
	t.Helper()
	r := &release{t, t.TempDir()}
	source, err := os.ReadFile("../pyapps/version/wsgi.py")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "wsgi.py"), source, 0o644); err != nil {
		t.Fatal(err)
	}
	r.write(`VERSION = "one"`)
	return r
}

// write replaces the file at once: one that is being written would be imported without its content.
func (r *release) write(code string) {
	r.t.Helper()
	path := filepath.Join(r.dir, "release.py")
	err := os.WriteFile(path+".new", []byte(code+"\n"), 0o644)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// version asks for the version that serves.
func (s *Server) version() string {
	s.t.Helper()
	name, _, _ := strings.Cut(s.Get("/").Body, " ")
	return name
}

// reload sends SIGHUP and waits until as many workers, none of them old, serve.
func (s *Server) reload() []int {
	s.t.Helper()
	old := s.Workers()
	s.Signal(syscall.SIGHUP)
	var fresh []int
	eventually(s.t, "all workers are replaced", func() bool {
		fresh = s.Workers()
		return len(fresh) == len(old) && !slices.ContainsFunc(fresh, func(pid int) bool { return slices.Contains(old, pid) })
	})
	return fresh
}

// SIGHUP replaces every worker; nobody is refused, and what an old worker has begun it finishes.
func TestReloadLosesNothing(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "process", Kind: kind, Workers: 2, Env: []string{gate.Env()}})
		old := s.Workers()
		held := s.Dial()
		held.Send(get("/gate"))
		visitor := gate.Await()

		var stop atomic.Bool
		failures := make(chan error, 1)
		served := 0
		go func() {
			defer close(failures)
			for !stop.Load() {
				if r, err := s.TryGet("/"); err != nil || r.Status != 200 || r.Truncated {
					failures <- err
					return
				}
				served++
			}
		}()
		s.Signal(syscall.SIGHUP)
		s.WaitLog(`Hang up: Master`, 1)
		eventually(t, "two new workers boot", func() bool { return len(booting.FindAllString(s.Log(), -1)) >= 4 })
		eventually(t, "a new worker serves", func() bool { return !slices.Contains(old, s.process().PID) })
		visitor.Release()
		var report processReport
		held.Next("GET").JSON(t, &report)
		if !slices.Contains(old, report.PID) {
			t.Errorf("the held request was answered by %d, not by one of %v", report.PID, old)
		}
		eventually(t, "the old workers leave", func() bool { return !alive(old[0]) && !alive(old[1]) })
		stop.Store(true)
		if err, failed := <-failures; failed {
			t.Errorf("a request failed during the reload, after %d good ones: %v", served, err)
		}
		s.WaitWorkers(2)
	})
}

// One client after the other connects while workers come and go: nobody is closed unanswered, nobody is forgotten in
// the backlog.
func TestReloadsOneAfterTheOther(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "version", Kind: kind, Workers: 2})
		for reloads := 1; reloads <= 10; reloads++ {
			old := s.Workers()
			s.Signal(syscall.SIGHUP)
			for requests := 1; slices.ContainsFunc(old, alive); requests++ {
				if r, err := s.TryGet("/"); err != nil || r.Status != 200 || r.Truncated {
					t.Fatalf("request %d of reload %d failed: %v", requests, reloads, err)
				}
			}
			s.WaitWorkers(2)
		}
	})
}

// A connection that was idle during the reload is closed by the old worker or goes on being served.
func TestReloadAndIdleConnection(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "version", Kind: kind, Args: []string{"--keep-alive", "30"}})
		c := s.Dial()
		c.Roundtrip(get("/"))
		s.reload()
		c.ExpectClosed() // the worker that held it is gone
		if s.version() != "one" {
			t.Error("not served after the reload")
		}
	})
}

func TestReloadLoadsNewCode(t *testing.T) {
	for _, args := range [][]string{nil, {"--preload"}} {
		t.Run(strings.Join(append(args, "code"), ""), func(t *testing.T) {
			forEachWorkerKind(t, func(t *testing.T, kind Kind) {
				code := newRelease(t)
				s := Start(t, Options{App: "version", Dir: code.dir, Kind: kind, Workers: 2, Args: args})
				if version := s.version(); version != "one" {
					t.Fatalf("version %s", version)
				}
				code.write(`VERSION = "two!"`)
				s.reload()
				eventually(t, "the new code serves", func() bool { return s.version() == "two!" })
			})
		})
	}
}

// Code that does not load costs nothing but a log record: the old workers go on, and a later reload works.
func TestReloadOfBrokenCodeKeepsServing(t *testing.T) {
	for _, args := range [][]string{nil, {"--preload"}} {
		t.Run(strings.Join(append(args, "code"), ""), func(t *testing.T) {
			forEachWorkerKind(t, func(t *testing.T, kind Kind) {
				code := newRelease(t)
				s := Start(t, Options{App: "version", Dir: code.dir, Kind: kind, Workers: 2, Args: args})
				old := s.Workers()
				for i, broken := range []string{`raise RuntimeError("half deployed")`, `def broken(:`} {
					code.write(broken)
					cause := []string{"half deployed", "SyntaxError"}[i]
					s.Expect(`Traceback.*` + cause)
					s.Allow(`^\[[^\n]*\] ([Rr]eload|[^\n]*boot|[^\n]*exited with code|[^\n]*` + cause + `)`)
					s.Signal(syscall.SIGHUP)
					s.WaitLog(`Reload failed`, i+1) // the next one would wait for it
					s.WaitLog(cause, 1)
					for range 5 {
						if version := s.version(); version != "one" {
							t.Fatalf("version %s", version)
						}
					}
					eventually(t, "only the old workers live", func() bool { return slices.Equal(s.Workers(), old) })
				}
				code.write(`VERSION = "repaired"`)
				s.reload()
				eventually(t, "the repaired code serves", func() bool { return s.version() == "repaired" })
			})
		})
	}
}

func TestReloadTwiceInARow(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "version", Kind: kind})
		old := s.Workers()[0]
		s.Signal(syscall.SIGHUP)
		s.Signal(syscall.SIGHUP)
		s.WaitLog(`Hang up: Master`, 1)
		eventually(t, "the old worker leaves", func() bool { return !alive(old) })
		// The kernel may make one signal of both.
		eventually(t, "the last reload ends", func() bool {
			return strings.Count(s.Log(), "Reloaded: ") == 1+strings.Count(s.Log(), "This reload waits")
		})
		s.WaitWorkers(1)
		if s.version() != "one" {
			t.Error("not served after the reloads")
		}
	})
}
