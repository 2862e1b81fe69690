package workers

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A refusal reaches a client that is still sending: the connection is read from for a moment, not reset.
func TestRefusalReachesASendingClient(t *testing.T) {
	s := start(t, options{})
	for name, request := range map[string]string{
		"at once":     "GET / HTTP/1.1\r\n\r\n",
		"in the lane": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + "5\r\nhello\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s.in(t)
			c := s.dial().send(request)
			if name == "in the lane" {
				c.send("no chunk size\r\n")
			}
			for range 10 {
				c.send(pattern(3000))
			}
			if r := c.next("GET"); r.status != 400 || !r.closes || !strings.Contains(r.body, "<h1><p>Bad Request</p></h1>") {
				t.Fatalf("%+v", r)
			}
			c.endWriting()
			c.SetReadDeadline(time.Now().Add(time.Second))
			if n, err := c.reader.Read(make([]byte, 1)); n != 0 || err == nil || err.Error() != "EOF" {
				t.Errorf("the connection ends with %d bytes, %v", n, err)
			}
		})
	}
	s.wantLog("[WARNING] Invalid request from ip=127.0.0.1: ")
}

// A client that never stops sending is cut off all the same.
func TestRefusedClientIsNotReadForEver(t *testing.T) {
	s := start(t, options{})
	c := s.dial().send("BAD\r\n\r\n")
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	begin := time.Now()
	for time.Since(begin) < patience {
		<-tick.C
		if _, err := c.Write([]byte("x")); err != nil {
			break
		}
	}
	if took := time.Since(begin); took > lingerTime+2*time.Second {
		t.Errorf("after %v the server still reads", took)
	}
}

// The page follows what is on its way already, however slowly the client takes that.
func TestRefusalBehindAFullSocket(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	s := start(t, options{app: func(c *call) { c.answer(200, big) }, tune: smallBuffers})
	c := s.dial().send(get("/big") + "BAD\r\n\r\n")
	eventually(t, "the response does not fit", func() bool { return s.fake.tails.Load() == 1 })
	c.want("GET", 200, big)
	if r := c.next("GET"); r.status != 400 {
		t.Fatalf("%+v", r)
	}
}

// smallBuffers makes the sockets of accepted connections take little at once.
func smallBuffers(w *worker) {
	for _, l := range w.listeners {
		unix.SetsockoptInt(l.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 16<<10)
	}
}

// An application that fails before its head is answered for; one that fails behind it is cut off.
func TestApplicationErrors(t *testing.T) {
	s := start(t, options{app: func(c *call) {
		if c.environ("PATH_INFO") == "/late" {
			c.send([]byte("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"))
			c.x.Outcome |= 2
		}
		c.raise("Traceback: boom")
	}})
	c := s.dial().send(get("/early") + get("/never"))
	if r := c.next("GET"); r.status != 500 || !r.closes {
		t.Fatalf("%+v", r)
	}
	c.endWriting()
	c.closed(patience)
	s.wantLog("[ERROR] Error handling request GET /early\nTraceback: boom")

	c = s.dial().send(get("/late"))
	if r, err := c.try("GET"); err == nil {
		t.Errorf("a response that was cut looks complete: %+v", r)
	}
	// HTTP/1.0 has no framing: the cut must be a reset.
	c = s.dial().send("GET /late HTTP/1.0\r\n\r\n")
	if r, err := c.try("GET"); err == nil {
		t.Errorf("a response that was cut looks complete: %+v", r)
	}
}
