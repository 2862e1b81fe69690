package tests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What cannot be loaded at the first start ends the server: 3 for an exception at import, 4 for a module that
// loads but has no such application.
func TestApplicationThatDoesNotLoad(t *testing.T) {
	for _, c := range []struct {
		name, app, how string
		code           int
		cause, reason  string
	}{
		{"exception", "unloadable", "raise", 3, "RuntimeError: the database is on fire", "Worker failed to boot."},
		{"syntax", "unloadable", "syntax", 3, "SyntaxError", "Worker failed to boot."},
		{"surrogate", "unloadable", "surrogate", 3, `RuntimeError: no file caf\\udce9`, "Worker failed to boot."},
		{"unprintable", "unloadable", "unprintable", 3, "Unprintable: ", "Worker failed to boot."},
		{"missing", "unloadable:missing", "", 4, "missing", "App failed to load."},
		{"number", "unloadable:number", "", 4, "number", "App failed to load."},
		{"nothing", "factory:create_nothing()", "", 4, "create_nothing", "App failed to load."},
	} {
		t.Run(c.name, func(t *testing.T) {
			forEachWorkerKind(t, func(t *testing.T, kind Kind) {
				s := Start(t, Options{App: c.app, Kind: kind, Cold: true, Env: []string{"BREAK=" + c.how}})
				s.Expect(c.cause)
				s.Expect(c.reason)
				s.Allow(`exited with code|Exception in worker process`)
				s.WaitExit(c.code)
				if !strings.Contains(s.Log(), "Shutting down: Master") {
					t.Error("the master did not say good-bye")
				}
			})
		})
	}
}

// Workers run the same code and fail alike: the log has the traceback once, not once for each of them.
func TestTracebackOfBootIsLoggedOnce(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "unloadable", Kind: syncKind, Workers: 4, Cold: true, Env: []string{"BREAK=raise"}})
	s.Expect(`Exception in worker process \(pid:\d+\)\s.*in <module>.*RuntimeError: the database is on fire`)
	s.Expect(`Reason: Worker failed to boot.`)
	s.Allow(`exited with code|failed to boot`)
	s.WaitExit(3)
	if n := strings.Count(s.Log(), "Traceback"); n != 1 {
		t.Errorf("%d tracebacks", n)
	}
}

func TestModuleThatDoesNotExist(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Kind: kind, Cold: true, Module: "nosuchmodule"})
		s.Expect(`ModuleNotFoundError: No module named 'nosuchmodule'`)
		s.Allow(`exited with code|Exception in worker process|Worker failed to boot`)
		s.WaitExit(3)
	})
}

// Request threads cannot be greenlets: the first would let nobody else run, and no request were answered.
func TestThreadsThatAreGreenlets(t *testing.T) {
	t.Parallel()
	directory := files(t, map[string]string{
		"gevent.py": "import threading\n" +
			"original = getattr(threading, '_start_joinable_thread', None) or threading._start_new_thread\n" +
			"def start(*args, **kwargs):\n    return original(*args, **kwargs)\n",
		"wsgi.py": "import gevent, threading\n" +
			"threading._start_new_thread = threading._start_joinable_thread = gevent.start\n" +
			"def application(environ, start_response):\n" +
			"    start_response('200 OK', [('Content-Type', 'text/plain')])\n    return [b'alone']\n",
	})
	for _, args := range [][]string{nil, {"--preload"}} {
		s := Start(t, Options{Dir: directory, Kind: gthreadKind, Args: args, Cold: true})
		s.Expect(`failed to boot: .*greenlets of threads .*by gevent.*: set --threads 1`)
		s.Expect(`Reason: Worker failed to boot.`)
		s.WaitExit(3)
	}
	Start(t, Options{Dir: directory, Kind: syncKind}).Get("/").Want(t, 200, "alone")
}

// sys.exit() at import is an application that does not load, not a clean end.
func TestExitAtImport(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "unloadable", Kind: kind, Cold: true, Env: []string{"BREAK=exit"}})
		s.Allow(`exited with code|Exception in worker process|Worker failed to boot|SystemExit|on fire`)
		s.WaitExit(3)
	})
}

func TestPreloadThatDoesNotLoad(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "unloadable", Kind: kind, Cold: true, Args: []string{"--preload"},
			Env: []string{"BREAK=raise"}})
		s.Expect(`RuntimeError: the database is on fire`)
		s.Allow(`boot|load|exited`)
		s.WaitExit(3)
	})
}

// With --preload the application is imported once, before the fork, and shared by all workers.
func TestPreloadSharesTheApplication(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "process", Kind: kind, Workers: 2, Args: []string{"--preload"}})
		first := s.process()
		if first.ImportPID == first.PID || first.ImportPID != first.Parent {
			t.Errorf("worker %d of %d has an application imported in %d", first.PID, first.Parent, first.ImportPID)
		}
		s.KillWorker(first.PID)
		s.smoke(2, first.PID)
		second := s.process()
		if second.ImportPID != first.ImportPID || second.Marker != first.Marker {
			t.Errorf("not the same application: %+v, %+v", first, second)
		}
	})
}

func TestWithoutPreloadEachWorkerImports(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "process", Kind: kind, Workers: 2})
		if report := s.process(); report.ImportPID != report.PID {
			t.Errorf("%+v", report)
		}
	})
}

// The standard library is shared even so: a worker finds loaded what the forkserver has. Where there is a library that
// patches sockets ssl is not in it.
func TestWithoutPreloadTheStandardLibraryIsShared(t *testing.T) {
	patcher := t.TempDir()
	if err := os.Mkdir(filepath.Join(patcher, "gevent"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(patcher, "gevent", "__init__.py"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		ssl  bool
	}{
		{nil, true},
		{[]string{"--pythonpath", patcher}, false},
	} {
		s := Start(t, Options{App: "process", Args: c.args})
		if report := s.process(); report.LoadedBefore["decimal"] != true || report.LoadedBefore["ssl"] != c.ssl {
			t.Errorf("%v: loaded before the application: %v", c.args, report.LoadedBefore)
		}
	}
}

// module:callable, module:factory(arguments), instances and classes.
func TestApplicationSpecs(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		for spec, body := range map[string]string{
			"create()":                 "default",
			"create('name')":           "name",
			"create('a', shout=True)":  "A",
			"create(name=\"keyword\")": "keyword",
			"instance":                 "instance",
			"Response":                 "class",
			"registry.web.app":         "instance",
			"registry.web.make('b')":   "b",
		} {
			Start(t, Options{App: "factory:" + spec, Kind: kind}).Get("/").Want(t, 200, body)
		}
		Start(t, Options{App: "hello", Kind: kind, Module: "wsgi"}).Get("/").Want(t, 200, "Hello, world!\n")
	})
}
