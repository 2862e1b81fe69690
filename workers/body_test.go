package workers

import (
	"fmt"
	"os"
	"path/filepath"
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
		inMemory - 1, inMemory, inMemory + 1, inMemory + spoolBlock, 1 << 20,
	} {
		body := pattern(size)
		kind := "memory"
		if size == 0 {
			kind = "none"
		} else if size > inMemory {
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
	for _, size := range []int{1, inMemory - 1, inMemory, inMemory + 1, 1 << 20} {
		for _, chunk := range []int{1 << 20, 10000, 61} {
			t.Run(fmt.Sprintf("%d in %d", size, chunk), func(t *testing.T) {
				s.in(t)
				body := pattern(size)
				c := s.dial()
				defer c.Close()
				c.send(chunked("/a", body, chunk) + get("/next"))
				// Where a body beyond the limit lies depends on how much of it came in one read.
				r := c.next("POST").body
				if r != echoed("POST", "/a", "memory", body) && (size <= inMemory || r != echoed("POST", "/a", "file", body)) {
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
	c.send(post("/unread", pattern(inMemory+1)) + get("/next"))
	c.want("POST", 200, "unread file")
	c.want("GET", 200, echoed("GET", "/next", "none", ""))
}

// A body that is cut never reaches the application; the log says whose it was.
func TestCutBodies(t *testing.T) {
	for name, request := range map[string]string{
		"memory":          post("/up", pattern(1000)),
		"file":            post("/up", pattern(inMemory+spoolBlock)),
		"chunked":         chunked("/up", pattern(1000), 100),
		"chunked to file": chunked("/up", pattern(2*inMemory), 5000),
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

// A client that falls silent in the middle of a request is told so and loses its connection, in every stage.
func TestSilentClients(t *testing.T) {
	for name, part := range map[string]string{
		"head":            "GET / HT",
		"memory":          strings.TrimSuffix(post("/up", pattern(1000)), "\xff"),
		"file":            post("/up", pattern(inMemory+spoolBlock))[:inMemory],
		"chunked":         chunked("/up", pattern(1000), 100)[:900],
		"chunked to file": chunked("/up", pattern(2*inMemory), 5000)[:2*inMemory],
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, options{tune: func(w *worker) {
				w.timeouts = timeouts{pause: 100 * time.Millisecond, write: 100 * time.Millisecond}
				w.lane.heads.limit = 100 * time.Millisecond
			}})
			c := s.dial().send(part[:len(part)-1])
			if r := c.next("POST"); r.status != 408 || !r.closes { // RFC 9110 15.5.9
				t.Errorf("%+v", r)
			}
			c.closed(patience)
			s.wantLog("_timeout) (408)")
			if n := s.fake.calls.Load(); n != 0 {
				t.Errorf("the application was called %d times", n)
			}
		})
	}
}

// A slow upload is not a silent one: each byte starts the time anew. The head's time does not end it either.
func TestSlowUpload(t *testing.T) {
	s := start(t, options{tune: func(w *worker) {
		w.timeouts = timeouts{pause: 200 * time.Millisecond, write: 200 * time.Millisecond}
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

// A body that trickles is refused once it has had its time, however often a byte comes.
func TestTrickle(t *testing.T) {
	s := start(t, options{tune: func(w *worker) {
		w.timeouts = timeouts{pause: 200 * time.Millisecond, rate: 1000, write: patience}
	}})
	for name, request := range map[string]string{
		"counted": post("/up", pattern(1000)), "chunked": chunked("/up", pattern(1000), 100),
		"file": post("/up", pattern(2*inMemory)),
	} {
		c, refused := s.dial(), strings.Count(s.log(), "body_min_rate")
		head := strings.Index(request, "\r\n\r\n") + 4
		c.send(request[:head])
		tick := time.NewTicker(20 * time.Millisecond)
		for at := head; ; at++ {
			<-tick.C
			c.send(request[at : at+1])
			if strings.Count(s.log(), "body_min_rate") > refused || at > head+200 {
				break
			}
		}
		tick.Stop()
		if r := c.next("POST"); r.status != 408 || !r.closes {
			t.Errorf("%s: %+v", name, r)
		}
	}
	s.wantLog("request body too slow (body_min_rate) (408)")
}

// 413 (RFC 9110 15.5.14) as soon as it is known, and the body is not read.
func TestBodyLimit(t *testing.T) {
	s := start(t, options{tune: func(w *worker) { w.limits.Body = 1000 }})
	for _, request := range []string{
		post("/up", pattern(1001)),
		post("/up", pattern(1001))[:80], // announced
		chunked("/up", pattern(1001), 100),
		chunked("/up", pattern(1001), 1001)[:80],
		expecting("/up", "Content-Length: 1001"),
	} {
		if r := s.dial().send(request).next("POST"); r.status != 413 || !r.closes {
			t.Errorf("%.80q: %+v", request, r)
		}
	}
	if n := s.fake.calls.Load(); n != 0 {
		t.Errorf("the application was called %d times", n)
	}
	s.wantLog("Invalid request from ip=127.0.0.1: body larger than limit_request_body (413)")
	s.dial().send(post("/up", pattern(1000))).want("POST", 200, echoed("POST", "/up", "memory", pattern(1000)))
	s.dial().send(chunked("/up", pattern(1000), 9)).want("POST", 200, echoed("POST", "/up", "memory", pattern(1000)))
	c := s.dial().send(expecting("/up", "Transfer-Encoding: chunked"))
	c.want("POST", 100, "")
	if r := c.send("3e9\r\n").next("POST"); r.status != 413 {
		t.Errorf("chunked behind 100 Continue: %+v", r)
	}
}

// 507 (RFC 4918 11.5) when the body cannot be kept, and the log says where.
func TestNoRoomForABody(t *testing.T) {
	for name, request := range map[string]string{
		"counted": post("/up", pattern(inMemory+1))[:100000],
		"chunked": chunked("/up", pattern(inMemory+200000), 5000)[:inMemory+20000],
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, options{tune: func(w *worker) { w.spooling.dir = "/nonexistent" }})
			c := s.dial().send(request)
			c.endWriting()
			if r := c.next("POST"); r.status != 507 || !r.closes {
				t.Fatalf("%+v", r)
			}
			s.wantLog("Cannot keep the request body of ip=127.0.0.1: spooling to /nonexistent: ")
		})
	}
}

// A spooled body that cannot be given to the application is a 500, in both logs.
func TestSpooledBodyIsLost(t *testing.T) {
	s := prepare(t, options{format: "%(r)s %(s)s"})
	lost, err := os.Create(filepath.Join(s.dir, "body"))
	if err != nil {
		t.Fatal(err)
	}
	lost.Close() // its descriptor cannot be copied
	client := s.dial()
	var c *conn
	eventually(t, "the connection is there", func() bool {
		c = s.w.acceptOne(s.w.listeners[0].fd)
		return c != nil
	})
	c.hold(message{raw: []byte("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"), file: lost, size: 9})
	s.w.ready.push(c)
	s.run()
	if r := client.next("POST"); r.status != 500 {
		t.Errorf("%+v", r)
	}
	s.wantLog("Error handling request POST /up: dup: bad file descriptor")
	eventually(t, "the access log has the request", func() bool {
		return strings.Contains(s.file("access.log"), "POST /up HTTP/1.1 500")
	})
}
