package tests

import (
	"fmt"
	"testing"
)

func expecting(path string, length int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n",
		path, length)
}

// RFC 9110 section 10.1.1: the client is told to continue when, and only when, the application wants the body.
func TestContinueWhenTheApplicationReads(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "expect", Kind: kind})
		c := s.Dial()
		if r := c.Roundtrip(expecting("/read", 4)); r.Status != 100 || len(r.Fields) > 0 {
			t.Fatalf("interim response %+v", r)
		}
		c.Send("body")
		c.Next("POST").Want(t, 200, "body")

		c = s.Dial()
		c.Send("POST /read HTTP/1.1\r\nHost: test\r\nExpect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n")
		if r := c.Next("POST"); r.Status != 100 {
			t.Fatalf("interim response %+v", r)
		}
		c.Send("4\r\nbody\r\n0\r\n\r\n")
		c.Next("POST").Want(t, 200, "body")
	})
}

// The client may still send the body that it announced, or not: only closing leaves no doubt.
func TestNoContinueWhenTheApplicationDoesNotRead(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "expect", Kind: kind})
		c := s.Dial()
		r := c.Roundtrip(expecting("/ignore", 4)).Want(t, 200, "unread")
		if !r.Closes() {
			t.Errorf("the response does not announce the close: %v", r.Fields)
		}
		c.ExpectClosed()
	})
}

// Once the head is sent, 100 would be read as part of the response: the client has to send on its own
// (RFC 9110 section 10.1.1 lets it do so when a final status came first).
func TestContinueIsNotSentIntoTheBody(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "expect", Kind: kind})
		c := s.Dial()
		c.Send(expecting("/lazy", 4))
		head, err := readHead(c.reader)
		if err != nil || head.Status != 200 || head.Value("Transfer-Encoding") != "chunked" {
			t.Fatalf("%+v, %v", head, err)
		}
		if first := c.ReadRaw(11); first != "6\r\nbody: \r\n" {
			t.Fatalf("first block %q", first)
		}
		c.Send("data")
		if rest := c.ReadRaw(14); rest != "4\r\ndata\r\n0\r\n\r\n" {
			t.Errorf("the rest of the body is %q", rest)
		}
	})
}

func TestContinueWithBodySentAtOnce(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "expect", Kind: kind})
		for range 5 {
			c := s.Dial()
			c.Send(expecting("/read", 4) + "body")
			r := c.Next("POST")
			if r.Status == 100 {
				r = c.Next("POST")
			}
			r.Want(t, 200, "body")
		}
		// HTTP/1.0 knows no interim response.
		s.Do("POST /read HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody").Want(t, 200, "body")
	})
}

func TestTruncatedBodyUnderExpectRaises(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "expect", Kind: kind})
		s.Allow(`\[[A-Z]+\] .*POST /read\s`)
		for _, request := range []struct{ head, half string }{
			{expecting("/read", 10), "half"},
			{"POST /read HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", "8\r\nhalf"},
		} {
			c := s.Dial()
			if r := c.Roundtrip(request.head); r.Status != 100 {
				t.Fatalf("interim response %+v", r)
			}
			c.Send(request.half)
			c.CloseWrite()
			if r, err := readResponse(c.reader, "POST"); err == nil && r.Status < 400 {
				t.Errorf("a truncated body is answered with %d %q", r.Status, r.Body)
			}
			c.ExpectClosed()
		}
		eventually(t, "both reads fail", func() bool { return len(s.Get("/errors").Body) >= len("OSError,OSError") })
		s.Get("/errors").Want(t, 200, "OSError,OSError")
	})
}

// A sync worker is not aborted, with all its connections, for a client that says it has a body and does not send it.
func TestWaitingForABodyEndsNoWorker(t *testing.T) {
	s := Start(t, Options{App: "expect", Args: []string{"--timeout", "2"}})
	s.Expect(`\[WARNING\] Invalid request from ip=127.0.0.1: request body not complete before the end of its worker`)
	s.Expect(`\[ERROR\] Error handling request POST /read\s`)
	c := s.Dial()
	if r := c.Roundtrip(expecting("/read", 10)); r.Status != 100 {
		t.Fatalf("interim response %+v", r)
	}
	c.Send("half")
	if r := c.Next("POST"); r.Status != 408 {
		t.Errorf("status %d", r.Status)
	}
	s.Get("/errors").Want(t, 200, "OSError")
}

// A thread that reads on when its request is over gets an error, never something that looks like the body's end.
func TestReadingOnAfterTheRequestRaises(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "expect", Kind: kind})
		c := s.Dial()
		if r := c.Roundtrip(expecting("/left", 10)); r.Status != 100 {
			t.Fatalf("interim response %+v", r)
		}
		c.Send("half")
		c.Next("POST").Want(t, 200, "left")
		eventually(t, "the thread's read fails", func() bool { return s.Get("/errors").Body == "OSError" })
		if freeThreaded() {
			// What another thread dropped last is freed when the thread that made it runs again, which may be never.
			s.forgetDescriptors()
		}
	})
}

func TestUnknownExpectationFails(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "expect", Kind: kind})
		s.Expect(`\[WARNING\] Invalid request`)
		r := s.Do("GET / HTTP/1.1\r\nHost: test\r\nExpect: 200-maybe\r\n\r\n")
		if r.Status != 417 {
			t.Errorf("status %d", r.Status)
		}
		s.Get("/calls").Want(t, 200, "0")
	})
}
