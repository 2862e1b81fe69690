package workers

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Bodies around every size at which the path changes: one read of a thread, memory or file, a block of the spool.
func TestBodiesAtTheLimits(t *testing.T) {
	s := start(t, options{threads: 2})
	head := len(post("/a", strings.Repeat("x", 50000))) - 50000 // five digits of Content-Length
	for _, size := range []int{
		0, 1, inputSize - head - 1, inputSize - head, inputSize - head + 1, inputSize, 2 * inputSize,
		bodyInMemory - 1, bodyInMemory, bodyInMemory + 1, bodyInMemory + spoolBlock, 1 << 20,
	} {
		body := pattern(size)
		kind := "memory"
		if size == 0 {
			kind = "none"
		} else if size > bodyInMemory {
			kind = "file"
		}
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s.in(t)
			c := s.dial()
			defer c.Close()
			for range 2 { // the second time on a connection that is in the poller
				c.send(post("/a", body)+get("/next")).want("POST", 200, echoed("POST", "/a", kind, body))
				c.want("GET", 200, echoed("GET", "/next", "none", ""))
			}
			if size > 0 {
				c.send(post("/a", body)).want("POST", 200, echoed("POST", "/a", kind, body))
			}
		})
	}
}

func TestChunkedBodiesAtTheLimits(t *testing.T) {
	s := start(t, options{})
	for _, size := range []int{1, bodyInMemory - 1, bodyInMemory, bodyInMemory + 1, 1 << 20} {
		for _, chunk := range []int{1 << 20, 10000, 61} {
			t.Run(fmt.Sprintf("%d in %d", size, chunk), func(t *testing.T) {
				s.in(t)
				body := pattern(size)
				c := s.dial()
				defer c.Close()
				c.send(chunked("/a", body, chunk) + get("/next"))
				// Where a body beyond the limit lies depends on how much of it came in one read.
				r := c.next("POST").body
				if r != echoed("POST", "/a", "memory", body) && (size <= bodyInMemory || r != echoed("POST", "/a", "file", body)) {
					t.Errorf("got %q", r)
				}
				c.want("GET", 200, echoed("GET", "/next", "none", ""))
			})
		}
	}
}

// An application that does not read a spooled body does not read the next request as its rest either.
func TestSpooledBodyUnread(t *testing.T) {
	s := start(t, options{})
	c := s.dial()
	c.send(post("/unread", pattern(bodyInMemory+1)) + get("/next"))
	c.want("POST", 200, "unread file")
	c.want("GET", 200, echoed("GET", "/next", "none", ""))
}

// A body that is cut never reaches the application; the log says whose it was.
func TestCutBodies(t *testing.T) {
	for name, request := range map[string]string{
		"memory":          post("/up", pattern(1000)),
		"file":            post("/up", pattern(bodyInMemory+spoolBlock)),
		"chunked":         chunked("/up", pattern(1000), 100),
		"chunked to file": chunked("/up", pattern(2*bodyInMemory), 5000),
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, options{})
			c := s.dial().send(request[:len(request)-20])
			c.endWriting()
			c.closed(patience)
			s.wantLog("Client ip=127.0.0.1 left in the middle of its request: POST /up")
			if n := s.fake.calls.Load(); n != 0 {
				t.Errorf("the application was called %d times", n)
			}
		})
	}
}

// A client that falls silent in the middle of a request loses its connection, in every stage.
func TestSilentClients(t *testing.T) {
	for name, part := range map[string]string{
		"head":            "GET / HT",
		"memory":          strings.TrimSuffix(post("/up", pattern(1000)), "\xff"),
		"file":            post("/up", pattern(bodyInMemory+spoolBlock))[:bodyInMemory],
		"chunked":         chunked("/up", pattern(1000), 100)[:900],
		"chunked to file": chunked("/up", pattern(2*bodyInMemory), 5000)[:2*bodyInMemory],
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, options{tune: func(w *worker) {
				w.lane.stall = 100 * time.Millisecond
				w.lane.heads.limit = 100 * time.Millisecond
			}})
			c := s.dial().send(part[:len(part)-1])
			c.closed(patience)
			s.wantLog("left in the middle of its request")
		})
	}
}

// A slow upload is not a silent one: each byte starts the time anew. The head's time does not end it either.
func TestSlowUpload(t *testing.T) {
	s := start(t, options{tune: func(w *worker) {
		w.lane.stall = 200 * time.Millisecond
		w.lane.heads.limit = 200 * time.Millisecond
	}})
	c := s.dial()
	body := pattern(10)
	request := post("/up", body)
	c.send(request[:len(request)-10])
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for i := range body {
		<-tick.C
		c.send(body[i : i+1])
	}
	c.want("POST", 200, echoed("POST", "/up", "memory", body))
}

// 507 (RFC 4918 11.5) when the body cannot be kept, and the log says where.
func TestNoRoomForABody(t *testing.T) {
	for name, request := range map[string]string{
		"counted": post("/up", pattern(bodyInMemory+1))[:100000], // what lies beyond lingerBytes ends in a reset
		"chunked": chunked("/up", pattern(bodyInMemory+200000), 5000)[:bodyInMemory+20000],
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, options{})
			t.Setenv("TMPDIR", "/nonexistent")
			c := s.dial().send(request)
			c.endWriting()
			if r := c.next("POST"); r.status != 507 || !r.closes {
				t.Fatalf("%+v", r)
			}
			s.wantLog("Cannot keep the request body of ip=127.0.0.1: spooling to /nonexistent: ")
		})
	}
}
