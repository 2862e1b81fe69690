package workers

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/workers/scoreboard"
)

func TestIdleConnectionsAreClosed(t *testing.T) {
	s := start(t, options{tune: func(w *worker) { w.keepAlive = 200 * time.Millisecond }})
	idle, busy, silent := s.dial(), s.dial(), s.dial()
	idle.get("/")
	busy.get("/")
	begin := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for time.Since(begin) < 600*time.Millisecond {
		<-tick.C
		busy.get("/again")
	}
	idle.closed(10 * time.Millisecond)
	silent.get("/a-first-request-may-take-longer")
}

func TestNoKeepAlive(t *testing.T) {
	s := start(t, options{keepAlive: -1})
	c := s.dial().send(get("/"))
	if r := c.next("GET"); !r.closes {
		t.Error("the response does not say Connection: close")
	}
	c.closed(patience)
}

// alone makes a connection of a worker that nobody runs: the test is its only thread.
func (s *server) alone() (*conn, *client, *thread) {
	s.t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	c, ok := s.w.table.add(fds[0])
	if !ok {
		s.t.Fatal("no room in the table")
	}
	return c, s.adopt(connOf(s.t, fds[1])), newThread(s.w, 0)
}

// turn lets the thread handle what the poller reports now.
func (t *thread) turn(wait int) {
	n, _ := unix.EpollWait(t.w.poller.fd, t.events, wait)
	t.handle(max(n, 0)) // a signal of Go's may end the wait
}

// The reaper saw an old connection; until it takes it, a request has been served. Its time starts anew.
func TestReaperLooksAgain(t *testing.T) {
	s := prepare(t, options{keepAlive: 1})
	c, client, thread := s.alone()
	client.send(get("/"))
	thread.read(c)
	client.want("GET", 200, echoed("GET", "/", "none", ""))
	now := scoreboard.Now()
	s.w.closeIfOverdue(c, now)
	if c.state.Load() != connIdle {
		t.Fatalf("state %d", c.state.Load())
	}
	client.send(get("/again"))
	thread.turn(1000)
	client.want("GET", 200, echoed("GET", "/again", "none", ""))
	s.w.closeIfOverdue(c, now+int64(time.Hour))
	client.closed(patience)
}

// A request that lies there when its connection's time is over is served.
func TestReaperSparesARequest(t *testing.T) {
	s := prepare(t, options{keepAlive: 1})
	c, client, thread := s.alone()
	thread.read(c)
	client.send(get("/"))
	s.w.closeIfOverdue(c, scoreboard.Now()+int64(time.Hour))
	for range 3 { // the edge, the ready queue, in any order
		thread.turn(10)
	}
	client.want("GET", 200, echoed("GET", "/", "none", ""))
	if c.state.Load() != connIdle {
		t.Errorf("state %d", c.state.Load())
	}
}

// An application that forked may have left copies of a connection in its children: the client must see the end anyway.
func TestCloseAfterAFork(t *testing.T) {
	s := prepare(t, options{keepAlive: 1})
	c, client, thread := s.alone()
	client.send(get("/"))
	thread.read(c)
	client.want("GET", 200, echoed("GET", "/", "none", ""))
	held, err := unix.FcntlInt(uintptr(c.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(held)
	s.fake.forked.Store(true)
	s.w.closeIfOverdue(c, scoreboard.Now()+int64(time.Hour))
	client.closed(patience)
	if n, _ := unix.EpollWait(s.w.poller.fd, thread.events, 20); n != 0 {
		t.Error("the poller still watches the copy")
	}
}

// A connection that the poller does not take is closed, with a line in the log.
func TestPollerRefuses(t *testing.T) {
	s := prepare(t, options{})
	c, client, thread := s.alone()
	if err := s.w.poller.control(unix.EPOLL_CTL_ADD, c.fd, unix.EPOLLIN, tagReady); err != nil {
		t.Fatal(err)
	}
	thread.read(c)
	client.closed(patience)
	s.wantLog("Closing the connection of ip=unix: file exists")
}

// A connection that cannot be taken out of the poller does not enter the lane.
func TestLaneRefuses(t *testing.T) {
	s := prepare(t, options{})
	c, client, thread := s.alone()
	c.registered = true
	client.send("GET /half")
	thread.read(c)
	client.closed(patience)
	s.wantLog("Closing the connection of ip=unix: epoll_ctl: no such file or directory")
}

func TestResets(t *testing.T) {
	s := start(t, options{threads: 2})
	idle, half, upload := s.dial(), s.dial(), s.dial()
	idle.get("/")
	half.send("GET /half")
	upload.send(post("/up", pattern(1<<20))[:500000])
	eventually(t, "all are there", func() bool { return s.w.table.count.Load() == 3 })
	for _, c := range []*client{idle, half, upload} {
		c.reset()
	}
	eventually(t, "all are closed", func() bool { return s.w.table.count.Load() == 0 })
	if log := s.log(); strings.Contains(log, "[ERROR]") {
		t.Errorf("a client that leaves is no error of the server:\n%s", log)
	}
	s.dial().get("/still-alive")
}
