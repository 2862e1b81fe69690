package tests

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// sqlite3 lets only the thread that made a connection use it: in sync, import and requests are on one thread.
func TestSqliteConnectionFromImport(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "sqlite", Kind: syncKind})
	for i := range 5 {
		s.Get("/").Want(t, 200, itoa(i+1))
	}
}

// A config file and hooks may set handlers of the signals that the forkserver lives by, as under gunicorn: a worker
// that dies is replaced all the same, and a signal to all processes does not end the forkserver.
func TestSignalHandlersBeforeTheFork(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "gunicorn.conf.py")
	text := `
import os, signal
for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(each, lambda number, frame: os._exit(9))

def when_ready(server):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
`
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s := Start(t, Options{App: "hello", Kind: syncKind, Args: []string{"-c", config}})
	worker := s.Workers()[0]
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		syscall.Kill(s.forkserver(), signal)
	}
	s.KillWorker(worker)
	eventually(t, "another one serves", func() bool { return s.WaitWorkers(1)[0] != worker })
	s.Get("/").Want(t, 200, "Hello, world!\n")
}

// The application is imported on the main thread, so signal.signal works, and the handler runs.
func TestSignalHandlerFromImport(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "signal_handler", Kind: kind})
		s.Get("/").Want(t, 200, "0")
		syscall.Kill(s.Workers()[0], syscall.SIGUSR2)
		eventually(t, "the handler runs", func() bool { return s.Get("/").Body == "1" })
	})
}

// Signals of which the application puts back the default are the server's again: the worker finishes its request.
func TestSignalHandlersPutBack(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "signal_handler", Kind: kind, Env: []string{gate.Env()}})
		c := s.Dial()
		c.Send(get("/gate"))
		visitor := gate.Await()
		worker := s.Workers()[0]
		s.Signal(syscall.SIGTERM)
		s.WaitLog("Handling signal: term", 1)
		syscall.Kill(worker, syscall.SIGTERM) // as the master does, but here it has been done
		visitor.Release()
		c.Next("GET").Want(t, 200, "0")
		s.WaitExit(0)
	})
}

func TestExitHandlersRun(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		notes := filepath.Join(t.TempDir(), "notes")
		s := Start(t, Options{App: "exit_handler", Kind: kind, Env: []string{"NOTES=" + notes}})
		pid := s.Get("/").Body
		s.Signal(syscall.SIGTERM)
		s.WaitExit(0)
		written, err := os.ReadFile(notes)
		if err != nil || string(written) != pid+"\n" {
			t.Errorf("notes %q, %v; want the worker %s once", written, err, pid)
		}
	})
}

// A worker's end is the end of a Python program: what the application keeps in its modules and threads is given back,
// files with what they have buffered, and a process that an exit handler starts takes signals.
func TestKeptObjectsEnd(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		for _, args := range [][]string{nil, {"--preload"}} {
			notes := filepath.Join(t.TempDir(), "notes")
			s := Start(t, Options{App: "kept", Kind: kind, Args: args, Env: []string{"NOTES=" + notes}})
			s.Get("/").wantStatus(t, 200)
			s.Signal(syscall.SIGTERM)
			s.WaitExit(0)
			written, err := os.ReadFile(notes)
			lines := strings.Split(strings.TrimSpace(string(written)), "\n")
			slices.Sort(lines)
			want := []string{"buffered line", "child -15", "object of a module", "object of a thread"}
			if err != nil || !slices.Equal(lines, want) {
				t.Errorf("%v: noted %q, %v; want %q", args, lines, err, want)
			}
		}
	})
}

// The interpreter is the one of the virtual environment.
func TestVirtualEnvironment(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "process", Kind: kind})
		report := s.process()
		if want := filepath.Dir(filepath.Dir(interpreter)); report.Prefix != want {
			t.Errorf("sys.prefix %s, want %s", report.Prefix, want)
		}
		if filepath.Dir(report.Executable) != filepath.Dir(interpreter) {
			t.Errorf("sys.executable %s", report.Executable)
		}
	})
}

func itoa(number int) string {
	return strconv.Itoa(number)
}

// faulthandler gives the main thread a signal stack of its own and takes it away when the interpreter ends; neither
// may hurt the other runtime in the process, which lives on signals.
func TestFaulthandler(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		for range 5 {
			s := Start(t, Options{App: "process", Kind: kind, Workers: 2, Env: []string{"PYTHONFAULTHANDLER=1"}})
			for range 20 {
				s.process()
			}
			s.Signal(syscall.SIGTERM)
			s.WaitExit(0)
		}
	})
}
