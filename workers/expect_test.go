package workers

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func expecting(target, framing string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n%s\r\n\r\n", target, framing)
}

// RFC 9110 10.1.1: "100 Continue" goes out when the application reads, and the body reaches it then.
func TestExpectContinue(t *testing.T) {
	large := pattern(300000)
	for name, k := range map[string]struct{ framing, sent, body string }{
		"counted":        {"Content-Length: 5", "hello", "hello"},
		"counted, large": {fmt.Sprintf("Content-Length: %d", len(large)), large, large},
		"chunked":        {"Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n", "hello"},
	} {
		for _, size := range []int{1000, 1} { // in a thread's read, and in the lane
			t.Run(fmt.Sprintf("%s in %d", name, size), func(t *testing.T) {
				s := start(t, options{})
				c := s.dial()
				for head := expecting("/up", k.framing); len(head) > 0; {
					n := min(size, len(head))
					c.send(head[:n])
					head = head[n:]
				}
				c.want("POST", 100, "")
				c.send(k.sent)
				if r := c.want("POST", 200, echoed("POST", "/up", "stream", k.body)); !r.closes {
					t.Error("the response does not say Connection: close")
				}
				c.endWriting()
				c.closed(patience)
			})
		}
	}
}

// The body is there already, in part or whole: no interim response is needed for a whole one.
func TestExpectWithEarlyBody(t *testing.T) {
	s := start(t, options{})
	c := s.dial().send(expecting("/up", "Content-Length: 5") + "hello")
	c.want("POST", 200, echoed("POST", "/up", "memory", "hello"))
	c = s.dial().send(expecting("/up", "Content-Length: 5") + "he")
	c.want("POST", 100, "")
	c.send("llo").want("POST", 200, echoed("POST", "/up", "stream", "hello"))
}

// An application that does not read answers at once, and the client need not send.
func TestExpectUnread(t *testing.T) {
	s := start(t, options{})
	c := s.dial().send(expecting("/unread", "Content-Length: 5"))
	if r := c.want("POST", 200, "unread stream"); !r.closes {
		t.Error("the response does not say Connection: close")
	}
	c.send("hello") // it may all the same: the connection is not reset
	c.endWriting()
	c.closed(patience)
}

// A body that is cut, malformed, or does not come is an error of read(), never a short body.
func TestExpectedBodyIsCut(t *testing.T) {
	const short = 200 * time.Millisecond
	for name, k := range map[string]struct {
		framing, sent string
		status        int
		reason        string
		limits        timeouts
	}{
		"counted": {"Content-Length: 5", "hell", 500, "body cut after 4 of 5 bytes (EOF)", timeouts{}},
		"chunked": {
			"Transfer-Encoding: chunked", "5\r\nhell", 500, "body cut or malformed after 4 bytes (unexpected EOF)", timeouts{},
		},
		"no size": {
			"Transfer-Encoding: chunked", "xyz\r\n", 400, "body cut or malformed after 0 bytes (refused with 400: ",
			timeouts{},
		},
		"silent": {
			"Content-Length: 5", "hel", 408, "body cut after 3 of 5 bytes (" + errBodyLate.Error(),
			timeouts{pause: short, first: time.Hour, abort: time.Hour},
		},
		"silent from the start": {
			"Content-Length: 5", "", 408, "body cut after 0 of 5 bytes (" + errNoBody.Error(),
			timeouts{pause: time.Hour, first: short, abort: time.Hour},
		},
		"too long for its worker": {
			"Content-Length: 5", "hel", 408, "body cut after 3 of 5 bytes (" + errBodyLong.Error(),
			timeouts{pause: time.Hour, first: time.Hour, abort: short},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, options{tune: func(w *worker) { w.timeouts = k.limits }})
			c := s.dial().send(expecting("/up", k.framing))
			c.want("POST", 100, "")
			c.send(k.sent)
			if k.limits == (timeouts{}) {
				c.endWriting()
			}
			if r := c.next("POST"); r.status != k.status {
				t.Errorf("%+v", r)
			}
			s.wantLog("Error handling request POST /up\nrequest " + k.reason)
		})
	}
}

// An application may read late, and slowly: that is no silence of the client.
func TestExpectedBodyIsReadSlowly(t *testing.T) {
	s := start(t, options{tune: func(w *worker) {
		w.timeouts = timeouts{pause: 100 * time.Millisecond}
	}, app: func(c *call) {
		wait := func() { <-time.After(300 * time.Millisecond) }
		c.begun = wait // the body fills the socket pair meanwhile
		wait()
		echo(c)
	}})
	body := strings.Repeat("x", 1<<20)
	c := s.dial().send(expecting("/up", fmt.Sprintf("Content-Length: %d", len(body))))
	c.want("POST", 100, "")
	c.send(body).want("POST", 200, echoed("POST", "/up", "stream", body))
}

// The socket pair for the body cannot be had: an error page, and the next request is served.
func TestNoDescriptorForAnExpectedBody(t *testing.T) {
	s := start(t, options{})
	c := s.dial()
	c.get("/")
	withoutDescriptors(t, func() {
		c.send(expecting("/up", "Content-Length: 5"))
		c.reader.ReadByte() // the page needs the lane, which needs a descriptor: a page or the end
	})
	s.wantLog("[ERROR] Error handling request POST /up: dup: too many open files")
	s.dial().get("/next")
}

// Without request_buffering the application has the first part of a body before the client has sent the last, also of
// one whose head came in pieces; a body that is there already is read at once.
func TestUnbufferedBody(t *testing.T) {
	s := start(t, options{tune: func(w *worker) { w.buffered = false }})
	for _, request := range []string{post("/up", "hello"), chunked("/up", "hello", 5)} {
		c := s.dial().send(request[:len(request)-3])
		eventually(t, "the application runs", func() bool { return s.fake.calls.Load() > 0 })
		s.fake.calls.Store(0)
		c.send(request[len(request)-3:]).want("POST", 200, echoed("POST", "/up", "stream", "hello"))
		c.closed(patience)
		c = s.dial().send(request[:10])
		eventually(t, "the head is waited for", func() bool { return s.waiting() == 1 })
		c.send(request[10 : len(request)-3])
		eventually(t, "the application runs", func() bool { return s.fake.calls.Load() > 0 })
		s.fake.calls.Store(0)
		c.send(request[len(request)-3:]).want("POST", 200, echoed("POST", "/up", "stream", "hello"))
		s.dial().send(request).want("POST", 200, echoed("POST", "/up", "memory", "hello"))
		s.fake.calls.Store(0)
	}
}
