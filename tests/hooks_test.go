package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// withHooks serves the application whose hooks write down that they were called.
func withHooks(t *testing.T, options Options) *Server {
	t.Helper()
	options.App = "hooks"
	config := filepath.Join(applicationFolder(t, "hooks"), "hooks.toml")
	options.Args = append(options.Args, "-c", config)
	return Start(t, options)
}

var landmark = regexp.MustCompile(`\[INFO\] (?:HOOK )?(Starting|Listening|Booting|Worker exiting|Shutting down|` +
	`Reloaded|[a-z]+_[a-z_]+)`)

// landmarks are the hooks and the log lines that say when they were called, in their order.
func (s *Server) landmarks() []string {
	var found []string
	for _, match := range landmark.FindAllStringSubmatch(s.Log(), -1) {
		found = append(found, match[1])
	}
	return found
}

// The order is the one that gunicorn 27 shows for the same signals; where pyhost differs on purpose, a comment says so.
func TestHookOrder(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := withHooks(t, Options{Kind: kind})
		s.Get("/").Want(t, 200, "Hello, world!\n")
		s.WaitLog("HOOK post_request", 1)
		s.Signal(syscall.SIGTERM)
		s.WaitExit(0)
		want := strings.Fields(`nworkers_changed Starting on_starting Listening when_ready pre_fork Booting post_fork
			post_worker_init pre_request post_request Worker_exiting worker_exit child_exit Shutting_down on_exit`)
		for i := range want {
			want[i] = strings.Replace(want[i], "Worker_", "Worker ", 1)
			want[i] = strings.Replace(want[i], "Shutting_", "Shutting ", 1)
		}
		if got := s.landmarks(); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

func TestHookArguments(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := withHooks(t, Options{Kind: kind})
		pid := s.Workers()[0]
		s.Do("GET /a%20b?x=%31#f HTTP/1.1\r\nHost: h\r\nX-Mark: here\r\n\r\n").Want(t, 200, "Hello, world!\n")
		for _, line := range []string{
			`nworkers_changed 1 None`, `on_starting 1 1 wsgi:application`, `when_ready http://` + s.Addresses[0],
			`pre_fork \[booting\] 1 True`, fmt.Sprintf(`post_fork %d 1 from pre_fork`, pid),
			fmt.Sprintf(`post_worker_init %d`, pid), `pre_request GET /a%20b /a%20b\?x=%31#f x=%31 here \(1, 1\)`,
			`post_request /a%20b True CHANGED 200 OK 200 14 \['text/plain'\]`,
		} {
			s.WaitLog(`HOOK `+line+`\n`, 1)
		}
		s.Signal(syscall.SIGTTIN)
		s.WaitLog(`HOOK nworkers_changed 2 1\n`, 1)
		s.Signal(syscall.SIGTTOU)
		s.WaitLog(`HOOK nworkers_changed 1 2\n`, 1)
		s.WaitLog(fmt.Sprintf(`HOOK child_exit %d\n`, pid), 1) // the oldest goes
		s.WaitWorkers(1)
	})
}

// server.address and LISTENERS know each form of bind: one that says its protocol once
// kept the server from starting.
func TestHooksSeeAddresses(t *testing.T) {
	t.Parallel()
	path := shortDirectory(t) + "/s"
	bind := []string{"uwsgi+unix:" + path, "http://127.0.0.1:0", "uwsgi://[::1]:0"}
	s := withHooks(t, Options{Kind: syncKind, Bind: bind})
	s.WaitLog(fmt.Sprintf(`HOOK when_ready uwsgi\+unix:%s http://127\.0\.0\.1:\d+ uwsgi://\[::1\]:\d+\n`, path), 1)
}

// Many configuration files take the application from server.app or worker.app, before or after it is imported.
func TestHooksHaveTheApplication(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "gunicorn.conf.py")
	text := `
import os, sys

def on_starting(server):
    server.log.info("HOOK on_starting %s %s", server.app.cfg.workers, server.app.callable)

def pre_fork(server, worker):
    if "EARLY" in os.environ:
        server.app.wsgi()

def post_fork(server, worker):
    worker.log.info("HOOK post_fork %s %s", "wsgi" in sys.modules, worker.app.wsgi() is server.app.wsgi())

def post_worker_init(worker):
    worker.log.info("HOOK post_worker_init %s", worker.app.wsgi() is worker.wsgi is worker.app.callable)

def pre_request(worker, req):
    req.scheme = "https"

def post_request(worker, req, environ, resp):
    worker.log.info("HOOK post_request %s", environ["wsgi.url_scheme"])

def worker_exit(server, worker):
    worker.log.info("HOOK worker_exit %s", worker.app.wsgi() is worker.wsgi)
`
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for environment, there := range map[string]string{"LATE=1": "False", "EARLY=1": "True"} {
		for _, args := range [][]string{nil, {"--preload"}} {
			s := Start(t, Options{App: "hello", Kind: syncKind, Env: []string{environment}, Args: append(args, "-c", config)})
			s.Get("/").Want(t, 200, "Hello, world!\n")
			if args != nil {
				there = "True"
			}
			s.Signal(syscall.SIGTERM)
			s.WaitExit(0)
			for _, line := range []string{
				`on_starting 1 None`, `post_fork ` + there + ` True`, `post_worker_init True`, `post_request https`,
				`worker_exit True`,
			} {
				s.WaitLog(`HOOK `+line+`\n`, 1)
			}
		}
	}
}

// A Manager that the config file starts serves the workers until the last has gone, and ends then, at a reload and at
// the end of the server. It was left behind.
func TestHooksWithManager(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "gunicorn.conf.py")
	text := `
import multiprocessing

manager = multiprocessing.Manager()
shared = manager.dict()

def when_ready(server):
    server.log.info("HOOK manager %d", manager._process.pid)

def worker_exit(server, worker):
    shared["worker"] = worker.pid
    worker.log.info("HOOK shared %s", dict(shared))
`
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	managers := regexp.MustCompile(`HOOK manager (\d+)`)
	s := Start(t, Options{App: "hello", Kind: syncKind, Args: []string{"-c", config}})
	s.WaitWorkers(1)
	s.Signal(syscall.SIGHUP)
	s.WaitLog(`HOOK manager`, 2)
	first, err := strconv.Atoi(managers.FindStringSubmatch(s.Log())[1])
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first manager ends", func() bool { return !alive(first) })
	s.forgetDescriptors()
	s.Get("/").Want(t, 200, "Hello, world!\n")
	s.Signal(syscall.SIGTERM)
	s.WaitExit(0)
	s.WaitLog(`HOOK shared {'worker': \d+}`, 2)
}

// A reload calls on_reload before the new workers are forked, and when_ready when they have taken over: the forkserver
// is a new one, which gunicorn does not have. child_exit comes for the old workers, too.
func TestHooksOfReload(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := withHooks(t, Options{Kind: kind})
		old := s.Workers()[0]
		before := len(s.landmarks())
		s.Signal(syscall.SIGHUP)
		s.WaitLog("Reloaded", 1)
		s.WaitLog(`HOOK when_ready`, 2)
		s.WaitLog(fmt.Sprintf(`HOOK child_exit %d\n`, old), 1)
		s.forgetDescriptors()
		got := s.landmarks()[before:]
		want := []string{"nworkers_changed", "on_reload", "pre_fork", "Booting", "post_fork", "post_worker_init"}
		// What the new worker's Python logs may come after the master's "Reloaded", and beside the old worker's end.
		start := slices.DeleteFunc(slices.Clone(got), func(landmark string) bool {
			return !slices.Contains(want, landmark)
		})
		if !slices.Equal(start, want) || slices.Contains(got, "on_starting") {
			t.Errorf("got %q", got)
		}
	})
}

// The forkserver runs the master's hooks; one that is killed is replaced, and its successor makes itself ready.
func TestHooksAfterTheForkserverDied(t *testing.T) {
	t.Parallel()
	s := withHooks(t, Options{Kind: syncKind})
	worker := s.Workers()[0]
	s.Expect(`Forkserver \(pid:\d+\) was sent SIGKILL!`)
	syscall.Kill(s.forkserver(), syscall.SIGKILL)
	s.WaitLog(`HOOK when_ready`, 2)
	s.Get("/").Want(t, 200, "Hello, world!\n")
	s.Signal(syscall.SIGTERM)
	s.WaitExit(0)
	s.WaitLog(fmt.Sprintf(`HOOK child_exit %d\n`, worker), 1)
	s.WaitLog(`HOOK on_exit`, 1)
}

// forkserver is the pid of the one forkserver.
func (s *Server) forkserver() int {
	s.t.Helper()
	for _, p := range s.Processes() {
		if p.parent == s.PID && strings.HasPrefix(p.title, "pyhost: forkserver") {
			return p.pid
		}
	}
	s.t.Fatalf("no forkserver in\n%s", s.tree())
	return 0
}

func TestHookWorkerInt(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := withHooks(t, Options{Kind: kind})
		s.Signal(syscall.SIGINT)
		s.WaitExit(0)
		got := s.landmarks()
		want := []string{"worker_int", "Worker exiting", "worker_exit", "child_exit", "Shutting down", "on_exit"}
		if len(got) < len(want) || !slices.Equal(got[len(got)-len(want):], want) {
			t.Errorf("got %q", got)
		}
	})
}

// worker_exit also runs when the main thread does not come to it: another thread of Python does.
func TestHooksOfWorkerThatTimesOut(t *testing.T) {
	t.Parallel()
	s := withHooks(t, Options{Kind: syncKind, Args: []string{"--timeout", "1"}})
	s.Expect(`WORKER TIMEOUT`)
	s.Allow(`exited with code 1|was sent SIG|Fatal Python error|stack|timed out|TIMEOUT|seconds`)
	c := s.Dial()
	c.Send(get("/sleep"))
	s.WaitLog(`HOOK worker_abort`, 1)
	s.WaitLog(`HOOK worker_exit`, 1)
	s.WaitLog(`HOOK child_exit`, 1)
	s.WaitLog(`HOOK post_worker_init`, 2)
	s.Get("/").Want(t, 200, "Hello, world!\n")
	s.forgetDescriptors()
}

// A hook that raises is in the log with its name, and nothing is lost by it.
func TestHookThatRaises(t *testing.T) {
	t.Parallel()
	for _, hook := range strings.Fields(`nworkers_changed pre_fork pre_request post_request worker_int worker_exit
		child_exit on_reload on_exit`) {
		for _, how := range []string{"HOOK_RAISES", "HOOK_EXITS"} {
			t.Run(hook+"/"+how, func(t *testing.T) {
				t.Parallel()
				s := withHooks(t, Options{Kind: syncKind, Env: []string{how + "=" + hook}})
				s.Expect(`Exception in ` + hook + ` hook\nTraceback .*` + hook)
				s.Get("/").Want(t, 200, "Hello, world!\n")
				if hook == "on_reload" {
					s.Signal(syscall.SIGHUP)
					s.WaitLog("Reloaded", 1)
					s.Get("/").Want(t, 200, "Hello, world!\n")
					s.forgetDescriptors()
				}
				if hook == "worker_int" {
					s.Signal(syscall.SIGINT)
				} else {
					s.Signal(syscall.SIGTERM)
				}
				s.WaitExit(0)
			})
		}
	}
}

// As in gunicorn, a hook that fails before the server serves keeps it from serving.
func TestHookThatKeepsFromStarting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		hook, how string
		code      int
	}{
		{"on_starting", "HOOK_RAISES", 1}, {"on_starting", "HOOK_EXITS", 7}, {"when_ready", "HOOK_RAISES", 1},
		{"post_fork", "HOOK_RAISES", 3}, {"post_worker_init", "HOOK_RAISES", 3}, {"post_worker_init", "HOOK_EXITS", 3},
	} {
		t.Run(c.hook+"/"+c.how, func(t *testing.T) {
			t.Parallel()
			s := withHooks(t, Options{Kind: syncKind, Env: []string{c.how + "=" + c.hook}, Cold: true})
			s.Expect(`Exception in ` + c.hook + ` hook\nTraceback .*` + c.hook)
			s.Allow(`Reason: |exited with code 3|failed to boot|Exception in worker process`)
			s.WaitExit(c.code)
		})
	}
}

// The application gets the headers as pre_request has left them, as under gunicorn; the next request has its own.
func TestPreRequestChangesHeaders(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := withHooks(t, Options{Kind: kind})
		c := s.Dial()
		bodies := map[string]string{"change": "HTTP_X_ADDED=by the hook,twice", "nothin": "HTTP_X_MARK=mine"}
		for range 3 {
			for query, want := range bodies {
				r := c.Roundtrip("GET /headers?" + query + " HTTP/1.1\r\nHost: test\r\nX-Mark: mine\r\n\r\n")
				r.Want(t, 200, want)
			}
		}
	})
}

// What post_request learns of a request that failed is what the client got.
func TestPostRequestOfFailure(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := withHooks(t, Options{Kind: kind})
		s.Expect(`Error handling request`)
		if r := s.Get("/raise"); r.Status != 500 {
			t.Errorf("status %d", r.Status)
		}
		s.WaitLog(`HOOK post_request /raise True GET 500 Internal Server Error 500 0`, 1)
	})
}

func TestHookThatCannotBeImported(t *testing.T) {
	t.Parallel()
	for value, message := range map[string]string{
		"nosuch.module.hook": `cannot import 'nosuch.module.hook': No module named 'nosuch'`,
		"<hook()>":           `<hook..> stands for a function of a Python config file; write MODULE.FUNCTION`,
	} {
		s := Start(t, Options{App: "hello", Cold: true, Env: []string{"PYHOST_POST_FORK=" + value}})
		s.Expect(`Invalid value for post_fork: ` + message)
		s.Allow(`Reason: `)
		s.WaitExit(1)
	}
}

// What runs before the fork may start programs that outlive the server: they get none of its sockets.
func TestProgramsOfHooksInheritNothing(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	config, told := filepath.Join(directory, "conf.py"), filepath.Join(directory, "told")
	show := fmt.Sprintf("os.system('ls -l /proc/self/fd >> %s; echo WHERE >> %[1]s')", told)
	text := "import os\n" + strings.ReplaceAll(show, "WHERE", "config") + "\ndef pre_fork(server, worker):\n    " +
		strings.ReplaceAll(show, "WHERE", "pre_fork") + "\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := Start(t, Options{App: "hello", Args: []string{"-c", config}})
	s.Get("/").Want(t, 200, "Hello, world!\n")
	got := contentOf(told)
	if strings.Count(got, "config\n") != 1 || strings.Count(got, "pre_fork\n") != 1 {
		t.Fatalf("not both have run:\n%s", got)
	}
	// 0 to 2, and the folder that ls reads
	if strings.Contains(got, "socket:") || strings.Contains(got, "memfd:") {
		t.Errorf("sockets of the server are inherited:\n%s", got)
	}
}
