package workers

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/workers/scoreboard"
)

func TestKeepAlive(t *testing.T) {
	s := start(t, options{threads: 2})
	c := s.dial()
	for range 20 {
		c.get("/a")
	}
	c.send("GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if r := c.next("GET"); !r.closes {
		t.Error("the last response does not say Connection: close")
	}
	c.closed(patience)
	if n := s.w.slot.Requests(); n != 21 {
		t.Errorf("the scoreboard counts %d requests", n)
	}
}

// A client that has sent its request and the end of its stream gets its answer, and the end of the connection with it:
// nothing can follow, so there is nothing to wait for.
func TestHalfClose(t *testing.T) {
	for name, requests := range map[string]string{
		"new connection": get("/a"),
		"in the lane":    post("/a", pattern(100000)),
		"pipelined":      get("/a") + get("/b"),
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, options{})
			c := s.dial()
			c.send(requests).endWriting()
			c.next("POST")
			if name == "pipelined" {
				c.next("GET")
			}
			c.closed(time.Second)
		})
	}
}

// The end of the stream arrives together with a request on a connection that is in the poller: one edge for both.
func TestHalfCloseOfIdleConnection(t *testing.T) {
	entered, leave := make(chan bool, 1), make(chan bool)
	s := start(t, options{app: func(c *call) {
		if c.environ("PATH_INFO") == "/block" {
			entered <- true
			<-leave
		}
		echo(c)
	}})
	c := s.dial()
	c.get("/first")
	other := s.dial()
	other.send(get("/block"))
	<-entered // the only thread is busy: what c sends is one event
	c.send(get("/last")).endWriting()
	eventually(t, "the end is in the socket", func() bool { return ended(t, s) })
	leave <- true
	c.want("GET", 200, echoed("GET", "/last", "none", ""))
	c.closed(time.Second)
}

// ended says whether the end of a client's stream lies in one of the worker's sockets.
func ended(t *testing.T, s *server) (found bool) {
	s.w.table.each(func(c *conn) {
		p := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLRDHUP}}
		if n, err := unix.Poll(p, 0); err != nil {
			t.Fatal(err)
		} else if n > 0 {
			found = true
		}
	})
	return found
}

// Of requests that come together each has its own time: neither their timeout nor the worker's is that of all of them.
func TestPipelinedRequestsHaveTheirOwnTime(t *testing.T) {
	for name, threads := range map[string]int{"one thread": 1, "two threads": 2} {
		t.Run(name, func(t *testing.T) {
			var s *server
			var left int64 // when the last request ended
			s = prepare(t, options{threads: threads, app: func(c *call) {
				for i := range threads {
					if g, busy := s.w.runners[i].Load().look(); busy && g.start < left {
						t.Errorf("%s began %v before the last one ended", c.environ("PATH_INFO"), time.Duration(left-g.start))
					}
				}
				if threads == 1 && s.w.slot.LastBeat() < left {
					t.Error("the worker has not beaten since the last request")
				}
				echo(c)
				left = scoreboard.Now()
			}})
			s.run()
			c := s.dial().send(get("/1") + get("/2") + get("/3"))
			for range 3 {
				c.next("GET")
			}
		})
	}
}
