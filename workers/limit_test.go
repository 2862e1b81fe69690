package workers

import (
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// worker_connections: the oldest idle connection gives way to a new one; where none is idle, what is beyond waits in
// the kernel and is served when a connection closes or becomes idle.
func TestWorkerConnections(t *testing.T) {
	gate := make(chan struct{})
	s := start(t, options{conns: 2, threads: 2, keepAlive: 60, app: func(c *call) {
		if c.environ("PATH_INFO") == "/gate" {
			<-gate
		}
		echo(c)
	}})
	first, second := s.dial(), s.dial()
	first.get("/1")
	eventually(t, "the first is idle", func() bool { return s.idle() > 0 })
	second.get("/2")
	third := s.dial()
	third.get("/3")
	first.closed(patience)
	second.send(get("/gate"))
	third.send(get("/gate"))
	eventually(t, "both are in the application", func() bool { return s.w.slot.Busy() == 2 })
	fourth := s.dial().send(get("/4"))
	fourth.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if r, err := fourth.try("GET"); err == nil {
		t.Fatalf("a third connection is answered with %d", r.status)
	}
	if n := s.w.table.count.Load(); n != 2 {
		t.Fatalf("%d connections", n)
	}
	close(gate)
	second.want("GET", 200, echoed("GET", "/gate", "none", ""))
	third.want("GET", 200, echoed("GET", "/gate", "none", ""))
	fourth.SetReadDeadline(time.Now().Add(patience))
	fourth.reader.Reset(fourth.Conn)
	fourth.want("GET", 200, echoed("GET", "/4", "none", ""))
}

// idle is how many connections are idle that had a response.
func (s *server) idle() (count int) {
	s.w.table.each(func(c *conn) {
		if c.state.Load() == connIdle && c.answered.Load() {
			count++
		}
	})
	return count
}

// A connection that has just come does not give way: its request may be on its way.
func TestNewConnectionsStay(t *testing.T) {
	s := start(t, options{conns: 2, keepAlive: 60})
	silent, kept := s.dial(), s.dial()
	kept.get("/1")
	s.dial().get("/2")
	kept.closed(patience)
	silent.get("/late")
}

// Connections that close at the same moment must not each think that another one resumes accepting.
func TestAcceptingResumesAfterSimultaneousCloses(t *testing.T) {
	const limit = 4
	s := start(t, options{threads: 4, conns: limit})
	for range 300 {
		var open []*client
		for range limit {
			c := s.dial()
			c.send("GET /half HT") // in the lane: it cannot give way
			open = append(open, c)
		}
		open = append(open, s.dial()) // one too many
		eventually(t, "accepting pauses", func() bool { return !s.w.isAccepting() })
		var closing sync.WaitGroup
		for _, c := range open {
			closing.Go(func() { c.Close() })
		}
		closing.Wait()
		eventually(t, "accepting resumes", s.w.isAccepting)
		s.clients = nil
	}
}

// withoutDescriptors runs f while the process cannot open any.
func withoutDescriptors(t *testing.T, f func()) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	lowest, err := unix.Dup(0)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(lowest)
	none := limit
	none.Cur = uint64(lowest) // all below are in use
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
	}()
	f()
}

func TestNoDescriptorForAccept(t *testing.T) {
	s := start(t, options{})
	c := s.dial()
	c.get("/")
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	withoutDescriptors(t, func() {
		if err := unix.Connect(fd, sockaddr(s.address)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "accept fails", func() bool { return s.w.acceptError.Load() != 0 })
		c.get("/in")
	})
	if _, err := unix.Write(fd, []byte(get("/late"))); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 1000)
	if n, err := unix.Read(fd, answer); err != nil || !strings.Contains(string(answer[:n]), "GET /late") {
		t.Fatalf("%q, %v", answer[:n], err)
	}
	if n := strings.Count(s.log(), "Cannot accept connections: too many open files"); n != 1 {
		t.Errorf("%d complaints in the log:\n%s", n, s.log())
	}
}

// A connection that needs the lane cannot have it: it is closed, and nothing else is.
func TestNoDescriptorForTheLane(t *testing.T) {
	s := start(t, options{})
	other, c := s.dial(), s.dial()
	other.get("/")
	c.get("/")
	withoutDescriptors(t, func() {
		c.send("GET /half")
		c.closed(patience)
		other.get("/still-there")
	})
	s.wantLog("Closing the connection of ip=127.0.0.1: dup: too many open files")
}

// What the lane would have sent of a response is given back: its memory, and its file if it has one.
func TestNoDescriptorForATail(t *testing.T) {
	s := start(t, options{app: answerBig})
	other, c := s.dial(), s.dial()
	other.get("/")
	c.get("/")
	withoutDescriptors(t, func() {
		c.send(get("/big"))
		eventually(t, "it is closed", func() bool { return s.w.table.count.Load() == 1 })
		other.get("/still-there")
	})
	s.wantLog("Closing the connection of ip=127.0.0.1: dup: too many open files")
	if n := s.fake.tails.Load(); n != 0 {
		t.Errorf("%d responses are kept", n)
	}
}
