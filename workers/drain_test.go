package workers

import (
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/workers/scoreboard"
)

// sibling is another holder of the listening socket, as the master and the other workers are.
func sibling(t *testing.T, s *server) net.Listener {
	t.Helper()
	fd, err := unix.FcntlInt(uintptr(s.w.listeners[0].fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "listener")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// stopped drains the worker and tells how long that took.
func (s *server) stopped() time.Duration {
	s.t.Helper()
	begin := time.Now()
	s.w.stop(true)
	done := make(chan struct{})
	go func() {
		for range s.w.threads {
			// The reaper runs on: only the Python threads count.
			<-s.finished
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		s.t.Fatalf("the worker does not drain: %d connections left", s.w.table.count.Load())
	}
	return time.Since(begin)
}

// waiting counts the connections of which half a head has come.
func (s *server) waiting() int {
	s.w.lane.heads.mu.Lock()
	defer s.w.lane.heads.mu.Unlock()
	return len(s.w.lane.heads.files)
}

func TestDrainClosesIdleConnections(t *testing.T) {
	s := start(t, options{threads: 2})
	c := s.dial()
	c.get("/")
	if took := s.stopped(); took > firstRequestDraining {
		t.Errorf("draining took %v", took)
	}
	c.closed(time.Second)
	if state := s.w.slot.State(); state != scoreboard.Draining {
		t.Errorf("state %v", state)
	}
}

// A request that is on its way when the worker is told to stop is answered, and says that the connection ends.
func TestDrainServesWhatHasCome(t *testing.T) {
	s := start(t, options{})
	silent := s.dial()
	eventually(t, "the connection is accepted", func() bool { return s.w.table.count.Load() == 1 })
	s.w.stop(true)
	if r := silent.send(get("/a") + get("/b")).next("GET"); r.status != 200 || !r.closes {
		t.Fatalf("%+v", r)
	}
	silent.closed(patience)
}

// A client in the middle of a series of requests learns from an answer that the connection ends: it is not closed under
// the request that is on its way.
func TestDrainAnswersOnceMore(t *testing.T) {
	s := start(t, options{})
	c := s.dial()
	c.get("/")
	s.w.stop(true)
	began := scoreboard.Now()
	s.w.closeIdle(began)
	if r := c.send(get("/next")).next("GET"); r.status != 200 || !r.closes {
		if time.Duration(scoreboard.Now()-began) < lull {
			t.Errorf("%+v", r)
		}
	}
	c.closed(patience)
}

// Connections in the backlog whose wake-up this worker may have had are its own.
func TestDrainEmptiesTheBacklog(t *testing.T) {
	entered, leave := make(chan bool, 1), make(chan bool)
	s := start(t, options{app: func(c *call) {
		if c.environ("PATH_INFO") == "/block" {
			entered <- true
			<-leave
		}
		echo(c)
	}})
	busy := s.dial().send(get("/block"))
	<-entered
	waiting := s.dial().send(get("/waiting"))
	s.w.stop(true)
	leave <- true
	if r := waiting.next("GET"); r.status != 200 || !r.closes {
		t.Errorf("%+v", r)
	}
	busy.want("GET", 200, echoed("GET", "/block", "none", ""))
}

// A worker that is told to stop before it accepts, because the application is still being imported, takes nothing: its
// siblings can answer at once.
func TestDrainBeforeAccepting(t *testing.T) {
	s := prepare(t, options{})
	l := sibling(t, s)
	defer l.Close()
	s.dial()
	s.w.stop(true)
	if n := s.w.table.count.Load(); n != 0 {
		t.Fatalf("the worker took %d connections", n)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// The listeners stay out of the poller once they are closed: their numbers may become other descriptors'.
func TestDrainEndsAcceptingForGood(t *testing.T) {
	s := prepare(t, options{conns: 1})
	l := sibling(t, s)
	defer l.Close()
	if err := s.w.startAccepting(); err != nil {
		t.Fatal(err)
	}
	s.w.endAccepting() // the first half of stop; a connection closes now, or the timer of a failed accept is due
	s.w.resumeAccepting()
	if s.w.isAccepting() {
		t.Error("accepting was resumed in the middle of the drain")
	}
	s.dial()
	if n, _ := unix.EpollWait(s.w.poller.fd, make([]unix.EpollEvent, 1), 50); n > 0 {
		t.Error("the poller still reports the listener")
	}
}

// What a client has begun to send keeps the worker for a short time only.
func TestDrainAndHalfAHead(t *testing.T) {
	s := start(t, options{})
	idle, fresh := s.dial(), s.dial()
	idle.get("/")
	idle.send("GET /half HT")
	fresh.send("G")
	eventually(t, "both are in the lane", func() bool { return s.waiting() == 2 })
	if took := s.stopped(); took > headDraining+2*time.Second {
		t.Errorf("draining took %v", took)
	}
	idle.closed(time.Second)
	fresh.closed(time.Second)
}

// A head that is completed in time is served.
func TestDrainAndALateHead(t *testing.T) {
	s := start(t, options{})
	c := s.dial().send("GET /late HT")
	eventually(t, "it is in the lane", func() bool { return s.waiting() == 1 })
	s.w.stop(true)
	c.send("TP/1.1\r\nHost: x\r\n\r\n")
	if r := c.next("GET"); r.status != 200 || !r.closes {
		t.Fatalf("%+v", r)
	}
	c.closed(patience)
}

// An upload under way is waited for.
func TestDrainAndHalfABody(t *testing.T) {
	s := start(t, options{})
	body := pattern(100000)
	request := post("/up", body)
	c := s.dial().send(request[:50000])
	eventually(t, "it is accepted", func() bool { return s.w.table.count.Load() == 1 })
	s.w.stop(true)
	c.send(request[50000:])
	c.want("POST", 200, echoed("POST", "/up", "memory", body))
	c.closed(patience)
}
