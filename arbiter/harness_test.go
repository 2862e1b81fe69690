package arbiter

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

// harness is an arbiter on a fake machine: a clock that tests turn, processes that are entries of a map, and no
// goroutine. It is the env and the Log of its arbiter. Every step of a test runs the arbiter until it has nothing left
// to do.
type harness struct {
	watched []watchOrder
	t       *testing.T
	a       *arbiter
	clock   time.Duration
	nextPID int
	// children are the processes that the master could wait for: forkservers, and orphaned workers.
	children map[int]*fakeProcess
	servers  []*fakeServer // every forkserver ever launched
	workers  []*fakeWorker // every worker ever asked for
	work     []func() event
	lines    []string // the log: "INFO Starting pyhost 0.1.0"
	notes    []string // what systemd heard
	reload   func() (*config.Config, error)

	listenErrors map[string]error // by address
	keepsBack    bool             // the kernel keeps back silent connections
	open         map[string]bool  // addresses that the master listens at
	launchError  error
	memory       map[int]int64         // resident bytes, by pid
	used         map[int]time.Duration // on a processor or waiting for one, by pid
	cores        int
	backlog      bool          // connections wait to be accepted
	waiting      int           // what waitingOn answers
	oom          oomCount      // of the cgroup
	parent       int           // pid of the master that started this one
	upgrades     []*fakeMaster // new masters
	upgradeError error
	heirs        []*fakeMaster // commended by new masters
	commended    []int
	onTerminal   bool
	// watchdogPeriod is what systemd wants.
	watchdogPeriod time.Duration
}

type fakeProcess struct {
	status unix.WaitStatus
	ended  bool
}

// fakeServer is a forkserver: serverLink.
type fakeServer struct {
	h          *harness
	order      launchOrder
	processID  int
	commands   []wire.Command
	told       bool // to exit
	closed     bool
	signals    []unix.Signal
	forkErrors []error // what the next calls of fork return
}

// fakeWorker is a worker: workerLink. Its pid is 0 until it is forked.
type fakeWorker struct {
	h       *harness
	server  *fakeServer
	boot    *wire.WorkerBoot
	sockets []int
	pid     int
	signals []unix.Signal
	stops   []bool // graceful or not, per stop command
	hungUp  bool   // by the master
	warned  bool   // that it will be stopped
	closed  bool
}

func testConfig(change func(*config.Config)) *config.Config {
	cfg := &config.Config{
		App: "shop.wsgi", Bind: []string{"127.0.0.1:8000"}, Workers: 2, WorkerClass: "gthread", Timeout: 30,
		GracefulTimeout: 20,
	}
	if change != nil {
		change(cfg)
	}
	return cfg
}

// newHarness is a machine on which the master has just been started.
func newHarness(t *testing.T, change func(*config.Config)) *harness {
	t.Helper()
	board, err := scoreboard.Create()
	if err != nil {
		t.Fatal(err)
	}
	h := &harness{
		t: t, clock: 1000 * time.Second, nextPID: 100, children: map[int]*fakeProcess{},
		listenErrors: map[string]error{}, open: map[string]bool{}, memory: map[int]int64{},
		used: map[int]time.Duration{}, cores: 1024,
	}
	options := Options{
		Config: testConfig(change), Log: h, Library: "lib", Executable: "python",
		Reload: func() (*config.Config, *Prepared, error) { c, err := h.reload(); return c, nil, err },
	}
	h.a = newArbiter(options, board)
	h.a.env = h
	h.a.pid = 99
	return h
}

func (h *harness) start() *harness {
	h.t.Helper()
	if err := h.a.start(); err != nil {
		h.t.Fatal(err)
	}
	h.run()
	return h
}

// booted is a machine on which the first generation is up.
func booted(t *testing.T, change func(*config.Config)) *harness {
	t.Helper()
	h := newHarness(t, change).start()
	h.bootAll()
	if !h.a.proven {
		t.Fatalf("the first generation is not up:\n%s", h.log())
	}
	h.lines = nil
	return h
}

// run lets the arbiter advance until it waits for an event or a later time.
func (h *harness) run() {
	h.t.Helper()
	for range 1000 {
		if h.a.phase == ended {
			return
		}
		h.a.advance()
		if h.a.wake == 0 || h.a.wake > h.clock {
			return
		}
	}
	h.t.Fatal("the arbiter does not come to rest")
}

func (h *harness) post(e event) {
	h.t.Helper()
	e.apply(h.a)
	h.run()
}

func (h *harness) signal(s unix.Signal) {
	h.t.Helper()
	h.a.signal(s)
	h.run()
}

// pass lets time go by, waking the arbiter when it wants to be woken.
func (h *harness) pass(d time.Duration) {
	h.t.Helper()
	until := h.clock + d
	for h.a.wake != 0 && h.a.wake <= until && h.a.phase != ended {
		h.clock = h.a.wake
		h.run()
	}
	h.clock = until
	h.run()
}

// bootAll makes everything that boots come up.
func (h *harness) bootAll() {
	h.t.Helper()
	for range 10 {
		for _, s := range h.servers {
			if h.running(s.processID) && !s.told && !h.serverRecordReady(s) {
				h.post(serverSaid{s.order.launch, wire.Event{Event: wire.EventReady, Python: "3.11.7"}})
			}
		}
		for _, w := range h.workers {
			if w.pid == 0 && !w.hungUp && h.running(w.server.processID) {
				w.forked()
				w.ready()
			}
		}
	}
}

func (h *harness) serverRecordReady(s *fakeServer) bool {
	record := h.a.serverByLaunch(s.order.launch)
	return record != nil && record.ready
}

func (h *harness) newPID() int {
	h.nextPID++
	return h.nextPID
}

func (h *harness) running(pid int) bool {
	p := h.children[pid]
	return p != nil && !p.ended
}

// alive are the workers that the arbiter has not been told the end of.
func (h *harness) alive() []*fakeWorker {
	var alive []*fakeWorker
	for _, w := range h.workers {
		if h.a.workerByAge(w.boot.Age) != nil {
			alive = append(alive, w)
		}
	}
	return alive
}

func (h *harness) server() *fakeServer { return h.servers[len(h.servers)-1] }

func (w *fakeWorker) forked() {
	w.h.t.Helper()
	w.pid = w.h.newPID()
	message := wire.Event{Event: wire.EventForked, Slot: w.boot.Slot, Age: w.boot.Age, PID: w.pid}
	w.h.post(serverSaid{w.server.order.launch, message})
}

func (w *fakeWorker) ready() {
	w.h.t.Helper()
	w.h.post(workerSaid{w.boot.Age, wire.Event{Event: wire.EventReady}})
}

func (w *fakeWorker) failed(code int, cause string) {
	w.h.t.Helper()
	w.h.post(workerSaid{w.boot.Age, wire.Event{Event: wire.EventFailed, Code: code, Error: cause}})
	w.exit(exited(code))
}

// exit ends the worker: its forkserver tells, or it becomes a zombie of the master.
func (w *fakeWorker) exit(status unix.WaitStatus) {
	w.h.t.Helper()
	h := w.h
	h.post(workerHungUp{w.boot.Age})
	if h.running(w.server.processID) {
		h.post(serverSaid{w.server.order.launch, wire.Event{Event: wire.EventExited, PID: w.pid, Status: int(status)}})
		return
	}
	h.children[w.pid] = &fakeProcess{status: status, ended: true}
	h.a.reap()
	h.run()
}

func (w *fakeWorker) beat() { w.h.a.board.Slot(w.boot.Slot).Beat(int64(w.h.clock)) }

// end ends a forkserver. Its workers go on, as children of the master.
func (s *fakeServer) end(status unix.WaitStatus) {
	s.h.t.Helper()
	h := s.h
	h.children[s.processID] = &fakeProcess{status: status, ended: true}
	for _, w := range h.workers {
		if w.server == s && w.pid != 0 && h.a.workerByPID(w.pid) != nil {
			h.children[w.pid] = &fakeProcess{}
		}
	}
	h.post(serverHungUp{launch: s.order.launch})
	h.a.reap()
	h.run()
}

func exited(code int) unix.WaitStatus { return unix.WaitStatus(code << 8) }

func killed(s unix.Signal) unix.WaitStatus { return unix.WaitStatus(s) }

// --- env

func (h *harness) now() time.Duration { return h.clock }

func (h *harness) launch(order launchOrder) (serverLink, error) {
	if h.launchError != nil {
		return nil, h.launchError
	}
	s := &fakeServer{h: h, order: order, processID: h.newPID()}
	h.children[s.processID] = &fakeProcess{}
	h.servers = append(h.servers, s)
	return s, nil
}

func (h *harness) kill(pid int, signal unix.Signal) {
	for _, w := range h.workers {
		if w.pid == pid {
			w.signals = append(w.signals, signal)
			return
		}
	}
	for _, s := range h.servers {
		if s.processID == pid {
			s.signals = append(s.signals, signal)
			return
		}
	}
	for _, m := range append(h.upgrades, h.heirs...) {
		if m.processID == pid {
			m.signals = append(m.signals, signal)
			return
		}
	}
	h.t.Errorf("signal %v to an unknown process %d", signal, pid)
}

func (h *harness) wait(pid int) (int, unix.WaitStatus, error) {
	if pid > 0 {
		p := h.children[pid]
		switch {
		case p == nil:
			return -1, 0, unix.ECHILD
		case !p.ended:
			return 0, 0, nil
		}
		delete(h.children, pid)
		return pid, p.status, nil
	}
	for pid, p := range h.children {
		if p.ended {
			delete(h.children, pid)
			return pid, p.status, nil
		}
	}
	return 0, 0, nil
}

func (h *harness) watch(order watchOrder) { h.watched = append(h.watched, order) }

func (h *harness) ownLogs(*config.Config) error { return nil }

func (h *harness) resident(pid int) int64 { return h.memory[pid] }

func (h *harness) busy(pid int) time.Duration { return h.used[pid] }

func (h *harness) processors() int { return h.cores }

func (h *harness) backlogged([]int) bool { return h.backlog }

func (h *harness) waitingOn([]int) int { return h.waiting }

func (h *harness) letThrough(sockets []int) bool { return h.keepsBack && len(sockets) > 0 }

func (h *harness) oomKills() oomCount { return h.oom }

func (h *harness) listen(at config.Address, options socketOptions) (*socket, error) {
	if err := h.listenErrors[at.String()]; err != nil {
		return nil, err
	}
	listener := wire.Listener{Address: at.String(), Network: at.Network, Port: at.Port}
	s := &socket{
		address: at, listener: listener, reusePort: options.reusePort, bySeat: map[int]int{0: -1},
		another: func() (int, error) { return -1, nil },
	}
	h.open[at.String()] = true
	s.unlink = func() { h.open[at.String()] = false }
	return s, nil
}

func (h *harness) handover() (*handover, error) { return nil, nil }

func (h *harness) inherited() []string { return nil }

func (h *harness) background(work func() event) { h.work = append(h.work, work) }

// finishWork lets the oldest background work come to its end.
func (h *harness) finishWork() {
	h.t.Helper()
	if len(h.work) == 0 {
		h.t.Fatal("no work in the background")
	}
	work := h.work[0]
	h.work = h.work[1:]
	h.post(work())
}

func (h *harness) notify(state string) { h.notes = append(h.notes, state) }

// --- serverLink and workerLink

func (s *fakeServer) pid() int { return s.processID }

func (s *fakeServer) fork(boot *wire.WorkerBoot, _ *handover, sockets []int) (workerLink, error) {
	if len(s.forkErrors) > 0 {
		err := s.forkErrors[0]
		s.forkErrors = s.forkErrors[1:]
		return nil, err
	}
	w := &fakeWorker{h: s.h, server: s, boot: boot, sockets: sockets}
	s.h.workers = append(s.h.workers, w)
	return w, nil
}

func (s *fakeServer) command(command wire.Command) { s.commands = append(s.commands, command) }

func (s *fakeServer) exit() { s.told = true }

func (s *fakeServer) close() { s.closed = true }

func (w *fakeWorker) stop(graceful bool) { w.stops = append(w.stops, graceful) }

func (w *fakeWorker) announce() { w.warned = true }

func (w *fakeWorker) hangUp() { w.hungUp = true }

func (w *fakeWorker) close() { w.closed = true }

// --- Log

func (h *harness) write(level, format string, args []any) {
	h.lines = append(h.lines, level+" "+fmt.Sprintf(format, args...))
}

func (h *harness) Debug(format string, args ...any)    { h.write("DEBUG", format, args) }
func (h *harness) Info(format string, args ...any)     { h.write("INFO", format, args) }
func (h *harness) Warning(format string, args ...any)  { h.write("WARNING", format, args) }
func (h *harness) Error(format string, args ...any)    { h.write("ERROR", format, args) }
func (h *harness) Critical(format string, args ...any) { h.write("CRITICAL", format, args) }
func (h *harness) Reopen() error                       { h.write("REOPEN", "", nil); return nil }

func (h *harness) log() string { return strings.Join(h.lines, "\n") }

// --- assertions

func (h *harness) wantLine(line string) {
	h.t.Helper()
	for _, have := range h.lines {
		if have == line {
			return
		}
	}
	h.t.Errorf("no line %q in the log:\n%s", line, h.log())
}

func (h *harness) wantNoLine(part string) {
	h.t.Helper()
	if strings.Contains(h.log(), part) {
		h.t.Errorf("%q is in the log:\n%s", part, h.log())
	}
}

// wantAlive checks how many workers there are, and that each has a slot of its own.
func (h *harness) wantAlive(n int) []*fakeWorker {
	h.t.Helper()
	alive := h.alive()
	if len(alive) != n {
		h.t.Fatalf("%d workers, want %d; log:\n%s", len(alive), n, h.log())
	}
	slots := map[int]bool{}
	for _, w := range alive {
		if slots[w.boot.Slot] {
			h.t.Errorf("slot %d is taken twice", w.boot.Slot)
		}
		slots[w.boot.Slot] = true
	}
	return alive
}

func (h *harness) wantEnded(code int) {
	h.t.Helper()
	if h.a.phase != ended || h.a.exitCode != code {
		h.t.Fatalf("phase %d with code %d, want an end with code %d; log:\n%s", h.a.phase, h.a.exitCode, code, h.log())
	}
}

func (w *fakeWorker) wantSignals(want ...unix.Signal) {
	w.h.t.Helper()
	if fmt.Sprint(w.signals) != fmt.Sprint(want) {
		w.h.t.Errorf("worker %d was sent %v, want %v", w.boot.Age, w.signals, want)
	}
}

var errInUse = fmt.Errorf("bind: %w", unix.EADDRINUSE)

var errBroken = errors.New("line 3: syntax error")
