package arbiter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

// walker lets anything happen to a machine, in any order.
type walker struct {
	*harness
	random *rand.Rand
	ready  map[*fakeWorker]bool
	steps  []string
}

func (w *walker) note(format string, args ...any) {
	w.steps = append(w.steps, fmt.Sprintf(format, args...))
}

// pick is one of those for which keep holds; nil if there is none.
func pick[T any](w *walker, list []*T, keep func(*T) bool) *T {
	list = slices.DeleteFunc(slices.Clone(list), func(one *T) bool { return !keep(one) })
	if len(list) == 0 {
		return nil
	}
	return list[w.random.IntN(len(list))]
}

func (w *walker) serverRuns(s *fakeServer) bool { return w.running(s.processID) }

// known reports whether a worker has a pid and has not ended.
func (w *walker) known(one *fakeWorker) bool { return one.pid != 0 && w.a.workerByPID(one.pid) != nil }

// step lets one thing happen.
func (w *walker) step() {
	switch w.random.IntN(11) {
	case 0:
		signals := []unix.Signal{
			unix.SIGHUP, unix.SIGHUP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH,
		}
		s := signals[w.random.IntN(len(signals))]
		w.note("signal %v", s)
		w.signal(s)
	case 1:
		if len(w.work) > 0 {
			w.note("the configuration is read")
			w.finishWork()
		}
	case 2, 3, 4, 5:
		w.bootOne()
	case 6:
		w.endOne()
	case 7:
		if s := pick(w, w.servers, w.serverRuns); s != nil && w.random.IntN(3) == 0 {
			w.note("forkserver %d ends", s.order.launch)
			s.end(killed(unix.SIGKILL))
		}
	case 8, 9:
		d := time.Duration(w.random.IntN(10_000)) * time.Millisecond
		w.note("%v pass", d)
		w.pass(d)
	default:
		w.obey()
	}
}

// bootOne lets one process come a step further.
func (w *walker) bootOne() {
	fresh := func(s *fakeServer) bool { return w.serverRuns(s) && !s.told && !w.serverRecordReady(s) }
	if s := pick(w, w.servers, fresh); s != nil && w.random.IntN(2) == 0 {
		w.note("forkserver %d is ready", s.order.launch)
		w.post(serverSaid{s.order.launch, wire.Event{Event: wire.EventReady, Python: "3.11.7"}})
		return
	}
	one := pick(w, w.workers, func(one *fakeWorker) bool {
		return one.pid == 0 && !one.hungUp && !one.closed && w.serverRuns(one.server)
	})
	if one != nil {
		w.note("worker %d is forked", one.boot.Age)
		one.forked()
	}
	one = pick(w, w.workers, func(one *fakeWorker) bool { return w.known(one) && !w.ready[one] })
	if one != nil {
		w.note("worker %d is ready", one.boot.Age)
		w.ready[one] = true
		one.ready()
	}
}

// endOne lets a worker end that nobody told to.
func (w *walker) endOne() {
	one := pick(w, w.workers, w.known)
	if one == nil {
		return
	}
	w.note("worker %d ends", one.boot.Age)
	switch {
	case !w.ready[one] && w.random.IntN(2) == 0:
		one.failed(wire.ExitBootError, "broken")
	case w.random.IntN(2) == 0:
		one.exit(killed(unix.SIGSEGV))
	default:
		one.exit(exited(0))
	}
}

// obey lets those end that were told to.
func (w *walker) obey() {
	for _, one := range w.workers {
		if w.known(one) && (len(one.stops) > 0 || len(one.signals) > 0) {
			w.note("worker %d obeys", one.boot.Age)
			one.exit(exited(0))
		}
	}
	for _, s := range w.servers {
		if w.serverRuns(s) && (s.told || len(s.signals) > 0) {
			w.note("forkserver %d obeys", s.order.launch)
			s.end(exited(0))
		}
	}
}

// calm lets everything go well from now on, until done.
func (w *walker) calm(done func() bool) bool {
	for range 60 {
		if done() {
			return true
		}
		for len(w.work) > 0 && w.a.phase != ended {
			w.finishWork()
		}
		for range 20 {
			w.bootOne()
		}
		w.obey()
		w.pass(10 * time.Second)
	}
	return done()
}

// Whatever happens, in whatever order: a server that is left alone afterwards comes to serve with all of its workers
// and nothing under way, and one that is told to stop ends with everything that it has started.
func TestRandomWalks(t *testing.T) {
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 1))
		change := func(c *config.Config) {
			c.Timeout, c.Workers = 0, 3
			c.ReusePort = seed%2 == 0
			c.DrainDelay = int(seed % 3)
			if seed%5 > 2 {
				c.ReloadStrategy = config.ReloadRolling
			}
		}
		h := booted(t, change)
		h.reload = func() (*config.Config, error) {
			if random.IntN(4) == 0 {
				return nil, errBroken
			}
			return testConfig(change), nil
		}
		w := &walker{harness: h, random: random, ready: map[*fakeWorker]bool{}}
		for _, one := range h.workers {
			w.ready[one] = true
		}
		w.walk(seed)
		if t.Failed() {
			return
		}
	}
}

func (w *walker) walk(seed uint64) {
	for range 80 {
		w.step()
		if w.a.phase != serving || !w.open["127.0.0.1:8000"] {
			w.t.Fatalf("seed %d: phase %d, open %v\n%q\n%s", seed, w.a.phase, w.open, w.steps, w.log())
		}
	}
	rests := func() bool {
		a := w.a
		return a.next == nil && a.fading == nil && !a.reload.reading && !a.reload.queued && a.current.ready() &&
			len(a.workers) == a.current.size() && len(a.servers) == 1
	}
	if seed%4 != 0 && !w.calm(rests) {
		w.t.Fatalf("seed %d does not come to rest: next %v, fading %v, reload %+v, %d workers, %d wanted\n%q\n%s", seed,
			w.a.next != nil, w.a.fading != nil, w.a.reload, len(w.a.workers), w.a.current.size(), w.steps, w.log())
	}
	w.signal([]unix.Signal{unix.SIGTERM, unix.SIGINT}[w.random.IntN(2)])
	for range w.random.IntN(10) {
		w.step()
		if w.a.phase == ended {
			break
		}
	}
	left := func() bool { return w.open["127.0.0.1:8000"] && w.a.alone() } // else it is the other master's, too
	if !w.calm(func() bool { return w.a.phase == ended }) || w.a.exitCode != exitOK || left() {
		w.t.Fatalf("seed %d does not end: phase %d, code %d, open %v\n%q\n%s", seed, w.a.phase, w.a.exitCode, w.open,
			w.steps, w.log())
	}
}
