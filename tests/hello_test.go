package tests

import (
	"testing"
	"time"
)

func TestHello(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Kind: kind})
		r := s.Get("/")
		r.Want(t, 200, "Hello, world!\n")
		if r.Proto != "HTTP/1.1" || r.Reason != "OK" {
			t.Errorf("status line %s %d %s", r.Proto, r.Status, r.Reason)
		}
		if r.Value("Content-Type") != "text/plain" || r.Value("Server") != "pyhost" {
			t.Errorf("fields %v", r.Fields)
		}
		// RFC 9110 section 5.6.7: IMF-fixdate, and the clock is ours.
		date, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", r.Value("Date"))
		if err != nil || time.Since(date).Abs() > time.Minute {
			t.Errorf("Date %q: %v", r.Value("Date"), err)
		}
	})
}

// The length of a list of bytes is known before the head is sent (PEP 3333, "Handling the Content-Length Header").
func TestListGetsContentLength(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Kind: kind})
		if r := s.Get("/"); r.Framing != "length" || r.Value("Content-Length") != "14" {
			t.Errorf("framing %s, fields %v", r.Framing, r.Fields)
		}
	})
}

func TestUnixSocket(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Kind: kind, Bind: []string{"unix:" + shortDir(t) + "/http.sock"}})
		c := s.Dial()
		c.Roundtrip(get("/")).Want(t, 200, "Hello, world!\n")
		c.Roundtrip(get("/again")).Want(t, 200, "Hello, world!\n")
	})
}
