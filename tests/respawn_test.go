package tests

import (
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
)

// smoke demands that the given workers are gone, and that the server serves with this many others.
func (s *Server) smoke(workers int, gone ...int) {
	s.t.Helper()
	for _, pid := range gone {
		eventually(s.t, fmt.Sprintf("worker %d is gone", pid), func() bool { return !alive(pid) })
	}
	s.WaitWorkers(workers)
	if report := s.process(); report.PID == 0 {
		s.t.Error("not served")
	}
}

func TestKilledWorkerIsReplaced(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "process", Kind: kind, Workers: 2})
		old := s.Workers()
		for _, pid := range old {
			s.KillWorker(pid)
			s.smoke(2, pid)
		}
		s.smoke(2, old...)
	})
}

// What a preloaded application does to signals and to os.read, as asyncio's watchers and eventlet do, keeps no worker
// from being replaced.
func TestKilledWorkerOfTakenSignalsIsReplaced(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{Kind: kind, Args: []string{"--preload"}, Dir: files(t, map[string]string{"wsgi.py": `
import os, select, signal

def cooperative(fd, count, read=os.read):
    select.select([fd], [], [])
    return read(fd, count)

os.read = cooperative
signal.set_wakeup_fd(-1)
signal.signal(signal.SIGCHLD, signal.SIG_DFL)

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"served"]
`})})
		pid := s.Workers()[0]
		s.KillWorker(pid)
		eventually(t, "the worker is gone", func() bool { return !alive(pid) })
		s.WaitWorkers(1)
		s.Get("/").Want(t, 200, "served")
	})
}

// A worker that dies under a request takes that connection with it, and nothing else.
func TestDyingWorkerIsReplaced(t *testing.T) {
	for _, c := range []struct{ path, log string }{
		{"/segfault", `Worker \(pid:%d\) was sent SIGSEGV!`},
		{"/raise", `Worker \(pid:%d\) was sent SIGSEGV!`},
		{"/exit", `Worker \(pid:%d\) exited with code 9`},
		{"/leave", `Worker \(pid:%d\) exited with code 0\.\nIt ran "GET /leave"`},
	} {
		t.Run(c.path[1:], func(t *testing.T) {
			forEachWorkerKind(t, func(t *testing.T, kind Kind) {
				s := Start(t, Options{App: "process", Kind: kind})
				pid := s.Workers()[0]
				s.Expect(fmt.Sprintf(c.log, pid))
				s.Allow(`SIGSEGV|Segmentation fault`)
				connection := s.Dial()
				connection.Send(get(c.path))
				// Any thread may be hit by what is sent to the process: then this one may get its answer out.
				if rest, err := io.ReadAll(connection.reader); len(rest) > 0 && c.path != "/raise" {
					t.Errorf("the dying worker sent %q, %v", rest, err)
				}
				s.smoke(1, pid)
			})
		})
	}
}

// The process that workers are forked from is no single point of failure.
func TestKilledForkserverIsReplaced(t *testing.T) {
	for _, args := range [][]string{nil, {"--preload"}} {
		t.Run(fmt.Sprint(len(args)), func(t *testing.T) {
			forEachWorkerKind(t, func(t *testing.T, kind Kind) {
				s := Start(t, Options{App: "process", Kind: kind, Workers: 2, Args: args})
				old := s.Workers()
				forkserver := s.process().Parent
				if forkserver == s.PID {
					t.Fatal("workers are children of the master: there is no forkserver")
				}
				s.Expect(`[Ff]orkserver`)
				if err := syscall.Kill(forkserver, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the forkserver is gone", func() bool { return !alive(forkserver) })
				s.smoke(2)
				s.KillWorker(old[0])
				s.smoke(2, old[0])
			})
		})
	}
}

// Without a master there is no server: workers and forkserver leave by themselves and free the port.
func TestKilledMasterLeavesNothing(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "process", Kind: kind, Workers: 2})
		s.Allow(`[Mm]aster|[Pp]arent`)
		s.Get("/")
		s.KillMaster()
		eventually(t, "everybody leaves", func() bool { s.reap(); return len(s.Processes()) == 0 })
		listener, err := net.Listen("tcp", s.Addresses[0])
		if err != nil {
			t.Fatalf("the port is not free: %v", err)
		}
		listener.Close()
	})
}

func TestKilledMasterLeavesRequestsTheirTime(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "process", Kind: kind, Env: []string{gate.Env()}})
		s.Allow(`[Mm]aster|[Pp]arent`)
		c := s.Dial()
		c.Send(get("/gate"))
		visitor := gate.Await()
		s.KillMaster()
		visitor.Release()
		var report processReport
		c.Next("GET").JSON(t, &report)
	})
}
