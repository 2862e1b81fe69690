package tests

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// evenKinds are workers that one request keeps busy.
var evenKinds = []Kind{syncKind, {Name: "gthread", Args: []string{"-k", "gthread", "--threads", "1"}, Threads: 1}}

// forEachEven runs a test for each of evenKinds on TCP and on a unix socket, with two workers.
func forEachEven(t *testing.T, test func(t *testing.T, s *Server, gate *Gate)) {
	t.Helper()
	t.Parallel()
	for _, kind := range evenKinds {
		for _, network := range []string{"tcp", "unix"} {
			t.Run(kind.Name+" "+network, func(t *testing.T) {
				t.Parallel()
				gate := NewGate(t)
				// A test keeps its connections, however slow the machine is.
				o := Options{App: "process", Kind: kind, Workers: 2, Env: []string{gate.Env()},
					Args: []string{"--keep-alive", "60"}}
				if network == "unix" {
					o.Bind = []string{"unix:" + filepath.Join(shortDir(t), "s")}
				}
				test(t, Start(t, o), gate)
			})
		}
	}
}

// served is the pid of the worker that answers.
func (c *Conn) served(request string) int {
	c.t.Helper()
	var report processReport
	c.Roundtrip(request).JSON(c.t, &report)
	return report.PID
}

// Requests on connections of a worker that is busy are answered by the idle one, while the first still runs: on kept
// connections and on new ones, with every way of body.
func TestRequestsDoNotWaitBehindABusyWorker(t *testing.T) {
	forEachEven(t, func(t *testing.T, s *Server, gate *Gate) {
		owner := map[int][]*Conn{}
		for range 24 {
			c := s.Dial()
			pid := c.served(get("/"))
			owner[pid] = append(owner[pid], c)
		}
		blocker := s.Dial()
		blocker.Send(get("/gate"))
		visitor := gate.Await()
		idle := s.served(t, get("/"))
		requests := []string{
			get("/"), post("/", "small"), post("/", strings.Repeat("m", 100<<10)), post("/", strings.Repeat("l", 600<<10)),
			get("/") + get("/"),
		}
		n := 0
		for pid, conns := range owner {
			for _, c := range conns {
				request := requests[n%len(requests)]
				n++
				if got := c.served(request); got != idle {
					t.Errorf("a request on a connection of worker %d was answered by %d, and %d is idle", pid, got, idle)
				}
				if request == get("/")+get("/") {
					c.Next("GET")
				}
			}
		}
		for range 10 {
			if got := s.served(t, get("/")); got != idle {
				t.Errorf("a new connection was answered by %d, and %d is idle", got, idle)
			}
		}
		visitor.Release()
		blocker.Next("GET").wantStatus(t, 200)
		blocker.served(get("/"))
	})
}

// served is the pid of the worker that answers on a connection of its own.
func (s *Server) served(t *testing.T, request string) int {
	t.Helper()
	c := s.Dial()
	defer c.Close()
	return c.served(request)
}

// Where all are busy a request waits for whoever is free first, wherever its connection is.
func TestWaitingRequestGoesToTheFirstWhoIsFree(t *testing.T) {
	forEachEven(t, func(t *testing.T, s *Server, gate *Gate) {
		conns := map[int]*Conn{}
		for len(conns) < 2 {
			c := s.Dial()
			if pid := c.served(get("/")); conns[pid] == nil {
				conns[pid] = c
			} else {
				c.Close() // the other worker still boots
			}
		}
		for range 2 {
			s.Dial().Send(get("/gate"))
		}
		first, second := gate.Await(), gate.Await()
		for _, c := range conns {
			c.Send(get("/"))
		}
		first.Release()
		answered := map[int]bool{}
		for _, c := range conns {
			var report processReport
			c.Next("GET").JSON(t, &report)
			answered[report.PID] = true
		}
		if len(answered) != 1 {
			t.Errorf("answered by %v; one of them is busy", answered)
		}
		second.Release()
	})
}

// --queue-timeout and --queue-limit: 503 with Retry-After instead of waiting.
func TestQueueTimeout(t *testing.T) {
	forEachQueue(t, "--queue-timeout", "1", func(t *testing.T, s *Server, visitor *Visitor) {
		s.Expect(`\[WARNING\] Busy: "GET /late HTTP/1.1" from ip=127.0.0.1 waited .* refused by queue_timeout \(503\)`)
		c := s.Dial()
		begin := time.Now()
		r := c.Roundtrip(get("/late"))
		if r.Status != 503 || r.Value("Retry-After") != "1" || !r.Closes() {
			t.Errorf("got %d, Retry-After %q", r.Status, r.Value("Retry-After"))
		}
		if took := time.Since(begin); took < 900*time.Millisecond {
			t.Errorf("refused after %v", took)
		}
	})
}

func TestQueueLimit(t *testing.T) {
	forEachQueue(t, "--queue-limit", "2", func(t *testing.T, s *Server, visitor *Visitor) {
		s.Expect(`\[WARNING\] Busy: "GET / HTTP/1.1" from ip=127.0.0.1 waited .* refused by queue_limit \(503\)`)
		answers := make(chan int, 4)
		for range 4 {
			c := s.Dial()
			c.Send(get("/"))
			go func() {
				r, err := readResponse(c.reader, "GET")
				if err != nil {
					t.Error(err)
				}
				answers <- r.Status
			}()
		}
		for range 2 {
			if status := <-answers; status != 503 {
				t.Errorf("got %d while two may wait", status)
			}
		}
		visitor.Release()
		for range 2 {
			if status := <-answers; status != 200 {
				t.Errorf("one of two that may wait got %d", status)
			}
		}
	})
}

func forEachQueue(t *testing.T, setting, value string, test func(*testing.T, *Server, *Visitor)) {
	t.Helper()
	t.Parallel()
	for _, kind := range evenKinds {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			gate := NewGate(t)
			s := Start(t, Options{App: "process", Kind: kind, Args: []string{setting, value}, Env: []string{gate.Env()}})
			s.Dial().Send(get("/gate"))
			test(t, s, gate.Await())
		})
	}
}

// A request whose client left while it waited is not run. It would end the worker.
func TestRequestOfAClientThatLeftIsNotRun(t *testing.T) {
	t.Parallel()
	for _, kind := range evenKinds {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			gate := NewGate(t)
			s := Start(t, Options{App: "process", Kind: kind, Env: []string{gate.Env()}})
			pid := s.Workers()[0]
			kept, fresh := s.Dial(), s.Dial()
			kept.served(get("/"))
			s.Dial().Send(get("/gate"))
			visitor := gate.Await()
			for _, c := range []*Conn{kept, fresh} {
				c.Send(get("/exit"))
				c.Close()
			}
			begin := time.Now()
			eventually(t, "a while passes", func() bool { return time.Since(begin) > 150*time.Millisecond })
			visitor.Release()
			s.WaitLog(`\[INFO\] Client ip=127.0.0.1 left before its request was run: "GET /exit HTTP/1.1"`, 2)
			if got := s.served(t, get("/")); got != pid {
				t.Errorf("worker %d was replaced by %d", pid, got)
			}
		})
	}
}
