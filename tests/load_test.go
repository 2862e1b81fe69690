package tests

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// loadKinds are the kinds of worker under load, each with and without the handover of waiting connections.
var loadKinds = []Kind{
	{Name: "sync", Args: []string{"-k", "sync"}, Threads: 1},
	{Name: "gthread", Args: []string{"-k", "gthread", "--threads", "2"}, Threads: 2},
	{Name: "sync alone", Args: []string{"-k", "sync", "--no-handover"}, Threads: 1},
	{Name: "gthread alone", Args: []string{"-k", "gthread", "--threads", "4", "--no-handover"}, Threads: 4},
}

// loaded is a server under load, whose code may change.
type loaded struct {
	*Server
	*Load
	code *release
}

// mixed keeps workers busy for long enough that others wait behind them.
var mixed = []string{"/", "/", "/?0.01", "/", "/?0.03"}

// kindsUnderLoad are those that the suite has time for.
func kindsUnderLoad() []Kind {
	if full() {
		return loadKinds
	}
	return loadKinds[:2]
}

// underLoad starts one server per kind, on TCP and on a unix socket, and runs a test on it while it is loaded.
func underLoad(t *testing.T, o Options, paths []string, test func(t *testing.T, s loaded)) {
	t.Helper()
	t.Parallel()
	for _, kind := range kindsUnderLoad() {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			code, o := newRelease(t), o
			o.App, o.Dir, o.Kind = "version", code.dir, kind
			o.Bind = []string{"127.0.0.1:0", "unix:" + filepath.Join(shortDir(t), "s")}
			s := Start(t, o)
			l := s.Load(LoadOptions{Paths: paths, Body: `\w+ \d+`})
			l.Await(20)
			test(t, loaded{s, l, code})
			s.forgetDescriptors()
		})
	}
}

// rounds is how often a load test does what it does: few times in the suite, often with PYHOST_LOAD=full.
func rounds(short, long int) int {
	if full() {
		return long
	}
	return short
}

// duration is the same for those that go by the clock.
func duration(short, long time.Duration) time.Duration {
	if full() {
		return long
	}
	return short
}

// SIGHUP with other code each time.
func TestLoadAndReloads(t *testing.T) {
	underLoad(t, Options{Workers: 3}, mixed, func(t *testing.T, s loaded) {
		for n := range rounds(3, 20) {
			s.code.write(fmt.Sprintf("VERSION = %q", strings.Repeat("x", n+1))) // another size: mtimes are coarse
			s.reload()
			s.Await(20)
			if got := s.version(); len(got) != n+1 {
				t.Errorf("version %s after reload %d", got, n+1)
			}
		}
		s.EndWithoutLoss()
	})
}

// --reload-strategy rolling: there is never more than one worker too many.
func TestLoadAndRollingReloads(t *testing.T) {
	o := Options{Workers: 3, Args: []string{"--reload-strategy", "rolling"}}
	underLoad(t, o, mixed, func(t *testing.T, s loaded) {
		for n := range rounds(1, 10) {
			s.code.write(fmt.Sprintf("VERSION = %q", strings.Repeat("x", n+1)))
			s.Signal(syscall.SIGHUP)
			eventually(t, "the reload is over", func() bool {
				if now := s.Workers(); len(now) > 4 {
					t.Errorf("workers %v at the same time", now)
				}
				return strings.Count(s.Log(), "Reloaded: 3 new workers") == n+1
			})
			s.Await(20)
			eventually(t, "the new code serves alone", func() bool { return len(s.version()) == n+1 && len(s.Workers()) == 3 })
		}
		s.EndWithoutLoss()
	})
}

// Workers that are replaced every 50 requests.
func TestLoadAndRecycling(t *testing.T) {
	replaced := regexp.MustCompile(`Replacing worker \(pid:(\d+)\): it has served`)
	underLoad(t, Options{Workers: 2, Args: []string{"--max-requests", "50"}}, mixed, func(t *testing.T, s loaded) {
		want := rounds(4, 60)
		limit := time.Now().Add(patience + time.Duration(want)*time.Second)
		for len(replaced.FindAllString(s.Log(), -1)) < want {
			if time.Now().After(limit) {
				t.Fatalf("fewer than %d workers were replaced", want)
			}
			s.Await(20)
		}
		s.EndWithoutLoss()
	})
}

// The number of workers goes up and down all the time.
func TestLoadAndScaling(t *testing.T) {
	underLoad(t, Options{Workers: 2}, mixed, func(t *testing.T, s loaded) {
		sent := 0
		for range rounds(2, 30) {
			for _, signal := range []syscall.Signal{syscall.SIGTTIN, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGTTOU} {
				s.Signal(signal)
				sent++
				s.WaitLog(`Handling signal: tt`, sent) // two that are pending are one
				s.Await(int64(rand.IntN(20)))
			}
		}
		s.EndWithoutLoss()
		s.WaitWorkers(2)
	})
}

// SIGTERM: what has been connected is answered, on kept connections once more, and nobody is reset; atexit handlers and
// worker_exit run in every worker.
func TestLoadAndStop(t *testing.T) {
	directory := t.TempDir()
	hooks := filepath.Join(directory, "hooks.py")
	code := "def worker_exit(server, worker):\n    print('HOOK worker_exit', worker.pid, flush=True)\n"
	if err := os.WriteFile(hooks, []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
	for range rounds(1, 10) {
		t.Run("stop", func(t *testing.T) {
			o := Options{Workers: 2, Args: []string{"-c", hooks}}
			underLoad(t, o, mixed, func(t *testing.T, s loaded) {
				s.code.write("VERSION = 'last'\nimport atexit, os\n" +
					"atexit.register(lambda: print('HOOK atexit', os.getpid(), flush=True))")
				workers := s.reload()
				s.Await(50)
				s.Signal(syscall.SIGTERM)
				s.WaitExit(0)
				for _, one := range s.Load.End() {
					if one.fate != refused {
						t.Errorf("lost: %s", one)
					}
				}
				if n := s.counts[raced]; n > 0 {
					t.Errorf("%d kept connections were closed under a request", n)
				}
				for _, pid := range workers {
					for _, hook := range []string{"worker_exit", "atexit"} {
						if !strings.Contains(s.Output(), fmt.Sprintf("HOOK %s %d\n", hook, pid)) {
							t.Errorf("%s has not run in %d:\n%s", hook, pid, s.Output())
						}
					}
				}
			})
		})
	}
}

// SIGKILL for a worker: what ran in it is lost, and logged, and nothing else.
func TestLoadAndKilledWorkers(t *testing.T) {
	underLoad(t, Options{Workers: 3}, []string{"/?0.01"}, func(t *testing.T, s loaded) {
		s.Allow(`was sent SIGKILL!`)
		s.Allow(`A worker failed \d+ times in a row`)
		var kills []time.Time
		for end := time.Now().Add(duration(time.Second, time.Minute)); time.Now().Before(end); {
			workers := s.Workers()
			if len(workers) < 2 {
				s.Await(20)
				continue
			}
			s.Await(int64(20 + rand.IntN(100)))
			kills = append(kills, time.Now())
			syscall.Kill(workers[rand.IntN(len(workers))], syscall.SIGKILL)
		}
		losses := s.End()
		checkLosses(t, s.Server, losses, kills)
	})
}

// checkLosses demands of what killed workers cost: at most what they ran, at that time, and a line of the log for each.
func checkLosses(t *testing.T, s *Server, losses []loss, kills []time.Time) {
	t.Helper()
	t.Logf("%d kills, %d lost", len(kills), len(losses))
	if most := len(kills) * s.options.Kind.Threads; len(losses) > most {
		t.Errorf("%d requests were lost by %d killed workers", len(losses), len(kills))
	}
	for _, one := range losses {
		killed := slices.ContainsFunc(kills, func(kill time.Time) bool {
			since := one.at.Sub(kill)
			return since >= 0 && since < time.Second
		})
		if !killed || one.fate != reset && one.fate != empty && one.fate != truncated {
			t.Errorf("lost, but not by the death of a worker: %s", one)
		}
	}
	// One may die between taking a connection and running its request.
	if logged := strings.Count(s.Log(), "\nIt ran "); len(losses) > logged+1+len(kills)/10 {
		t.Errorf("%d requests were lost, and the log tells of %d", len(losses), logged)
	}
}

// SIGKILL for the fork server costs nothing.
func TestLoadAndKilledForkserver(t *testing.T) {
	underLoad(t, Options{Workers: 2}, mixed, func(t *testing.T, s loaded) {
		s.Allow(`Forkserver \(pid:\d+\) was sent SIGKILL!`)
		s.Allow(`A forkserver failed \d+ times in a row`)
		for range rounds(1, 4) { // the pause before the next one grows
			old := s.forkserver()
			syscall.Kill(old, syscall.SIGKILL)
			eventually(t, "there is a new fork server", func() bool {
				return slices.ContainsFunc(s.Processes(), func(p *process) bool {
					return p.pid != old && p.state != "Z" && strings.HasPrefix(p.title, "pyhost: forkserver")
				})
			})
			s.Await(20)
		}
		s.EndWithoutLoss()
		s.WaitWorkers(2)
	})
}

// SIGKILL for the master, whose successor gets the same socket, as under systemd: the old workers finish what they have
// and leave, what comes meanwhile waits.
func TestLoadAndKilledMaster(t *testing.T) {
	t.Parallel()
	for _, kind := range kindsUnderLoad() {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			file, err := listener.(*net.TCPListener).File()
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			o := Options{App: "version", Kind: kind, Workers: 2, Files: []*os.File{file}, Bind: []string{"fd://3"}}
			s := Start(t, o)
			l := s.Load(LoadOptions{Paths: mixed, Body: `one \d+`, Clients: 4})
			for range rounds(1, 20) {
				l.Await(50)
				s.Allow(`[Mm]aster|[Pp]arent`)
				s.KillMaster()
				o.Cold = true // its descriptors never come to rest under load
				s = Start(t, o)
				s.WaitLog(booting.String(), 2)
			}
			l.Await(50)
			l.EndWithoutLoss()
			s.forgetDescriptors()
		})
	}
}
