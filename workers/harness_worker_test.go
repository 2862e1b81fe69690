package workers

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/logging"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/wire"
)

// patience bounds every wait of the suite.
const patience = 10 * time.Second

// within polls a condition and reports whether it came true in time.
func within(limit time.Duration, condition func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return false
		}
	}
	return true
}

// eventually polls a condition until it holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	if !within(patience, condition) {
		t.Fatalf("did not happen within %v: %s", patience, what)
	}
}

// options of a worker under test; the zero value is a one-thread worker on TCP that runs echo.
type options struct {
	threads   int
	unix      bool
	keepAlive int // seconds; -1 = 0
	conns     int
	format    string // of the access log; "" = none
	app       func(*call)
	tune      func(*worker) // before anything runs
}

// server is a worker in this process, with a fake interpreter, on a real socket.
type server struct {
	t       *testing.T
	w       *worker
	fake    *fakePython
	address net.Addr
	dir     string
	reaping chan struct{}
	running bool
	threads sync.WaitGroup
	// finished gets one value from each Python thread that ends.
	finished chan int
	before   int // descriptors
	clients  []*client
}

func start(t *testing.T, o options) *server {
	t.Helper()
	s := prepare(t, o)
	s.run()
	return s
}

// run starts the worker's threads and lets it accept.
func (s *server) run() {
	s.t.Helper()
	s.running = true
	for i := range s.w.threads {
		thread := newThread(s.w, i)
		s.threads.Go(func() {
			thread.run()
			s.finished <- i
		})
	}
	s.threads.Go(func() { s.w.reap(s.reaping) })
	if err := s.w.startAccepting(); err != nil {
		s.t.Fatal(err)
	}
}

// prepare makes a worker that nobody runs yet. At the end of the test it must have drained and have given everything
// back: connections, descriptors, what Python keeps of a connection.
func prepare(t *testing.T, o options) *server {
	t.Helper()
	if o.app == nil {
		o.app = echo
	}
	s := &server{t: t, dir: t.TempDir(), before: descriptors(), reaping: make(chan struct{})}
	log, err := logging.Open(filepath.Join(s.dir, "error.log"), "debug")
	if err != nil {
		t.Fatal(err)
	}
	var access *logging.AccessLog
	if o.format != "" {
		if access, err = logging.OpenAccess(filepath.Join(s.dir, "access.log"), o.format); err != nil {
			t.Fatal(err)
		}
	}
	s.fake = newFakePython(max(o.threads, 1), o.app)
	s.finished = make(chan int, max(o.threads, 1))
	listener, network := s.listen(o.unix)
	listeners := []wire.Listener{{Network: network, Name: "n", Port: "1"}}
	boot := &wire.WorkerBoot{Config: configuration(o), Listeners: listeners}
	s.w, err = newWorker(boot, s.fake, log, access, sharedSlot(t), []int{listener})
	if err != nil {
		t.Fatal(err)
	}
	s.w.leaveOnce.Do(func() {}) // a worker that leaves would take the tests with it
	if o.tune != nil {
		o.tune(s.w)
	}
	t.Cleanup(func() {
		s.end()
		unix.Close(log.Fd())
		access.Close()
		eventually(t, "all descriptors are closed again", func() bool { return descriptors() == s.before })
	})
	return s
}

// inMemory is the largest body that is kept in memory, in bytes.
const inMemory = 256 << 10

func configuration(o options) *config.Config {
	c := &config.Config{
		Handover: true,
		Threads:  max(o.threads, 1), WorkerConnections: 1000, KeepAlive: 60,
		HeaderTimeout: 30, BodyTimeout: 60, WriteTimeout: 60, SpoolThreshold: inMemory, RequestBuffering: true,
		LimitRequestLine: 4094, LimitRequestFields: 100, LimitRequestFieldSize: 8190,
	}
	if o.keepAlive != 0 {
		c.KeepAlive = max(o.keepAlive, 0)
	}
	if o.conns > 0 {
		c.WorkerConnections = o.conns
	}
	return c
}

// listen returns a descriptor that the worker will own.
func (s *server) listen(onUnix bool) (fd int, network string) {
	network, address := "tcp", "127.0.0.1:0"
	if onUnix {
		network, address = "unix", filepath.Join(s.dir, "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		s.t.Fatal(err)
	}
	defer l.Close()
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	s.address = l.Addr()
	f, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if fd, err = unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0); err != nil {
		s.t.Fatal(err)
	}
	return fd, network
}

// end drains the worker after the clients have left.
func (s *server) end() {
	for _, c := range s.clients {
		c.Close()
	}
	s.w.stop(true)
	close(s.reaping)
	if !s.running { // what the test left is for a thread to close
		s.threads.Go(newThread(s.w, 0).run)
	}
	s.drained()
	unix.Close(s.w.poller.fd)
	unix.Close(s.w.poller.ready)
	if n := s.w.table.count.Load(); n != 0 {
		s.t.Errorf("%d connections after the end", n)
	}
	if opened, dropped := s.fake.opened.Load(), s.fake.dropped.Load(); opened != dropped {
		s.t.Errorf("%d connections had a Python side, %d gave it back", opened, dropped)
	}
	if n := s.fake.tails.Load(); n != 0 {
		s.t.Errorf("%d tails were not freed", n)
	}
	if n := s.w.slot.Busy(); n != 0 {
		s.t.Errorf("the scoreboard says %d busy threads", n)
	}
}

// drained waits for the worker's threads.
func (s *server) drained() {
	s.t.Helper()
	done := make(chan struct{})
	go func() {
		s.threads.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		s.t.Fatalf("the worker does not drain: %d connections left", s.w.table.count.Load())
	}
}

// in makes failures those of a subtest.
func (s *server) in(t *testing.T) {
	outer := s.t
	s.t = t
	t.Cleanup(func() { s.t = outer })
}

// log is what the error log has so far.
func (s *server) log() string { return s.file("error.log") }

func (s *server) file(name string) string {
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func (s *server) wantLog(part string) {
	s.t.Helper()
	eventually(s.t, "the log says "+part, func() bool { return strings.Contains(s.log(), part) })
}

// sharedSlot is the scoreboard slot of all tests, reset.
func sharedSlot(t *testing.T) *scoreboard.Slot {
	board, err := scoreboardOnce()
	if err != nil {
		t.Fatal(err)
	}
	slot := board.Slot(0)
	slot.Reset()
	return slot
}

var scoreboardOnce = sync.OnceValues(scoreboard.Create)

// descriptors counts the open descriptors of this process.
func descriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		panic(err)
	}
	return len(entries)
}

// TestMain makes what the process makes once, so that the tests can count descriptors.
func TestMain(m *testing.M) {
	if _, err := scoreboardOnce(); err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	l.Close()
	os.Exit(m.Run())
}
