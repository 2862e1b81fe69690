package tests

import (
	"strings"
	"testing"
)

// Applications switch C stacks under the server (SQLAlchemy's asyncio, gevent): no request may notice.
func TestGreenlets(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		requireModule(t, "greenlet")
		s := Start(t, Options{App: "greenlets", Kind: kind})
		for range 20 {
			s.Get("/juggle").Want(t, 200, "500")
			s.Get("/stepwise").Want(t, 200, "01234")
			s.Get("/abandoned").Want(t, 200, "ended")
			c := s.Dial()
			c.Send(post("/inside", "a body"))
			if r := c.Next("POST"); r.Status != 103 || r.Value("X-Stack") != "greenlet" {
				t.Errorf("%+v", r)
			}
			c.Next("POST").Want(t, 200, "written read a body inside")
			c.Close()
		}
	})
}

// A greenlet that one request leaves suspended is resumed by a later one of the same thread.
func TestGreenletsAcrossRequests(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		requireModule(t, "greenlet")
		s := Start(t, Options{App: "greenlets", Kind: kind})
		counts := map[string]int{}
		for range 200 {
			thread, number, _ := strings.Cut(s.Get("/across").Body, " ")
			counts[thread]++
			if want := counts[thread]; number != itoa(want) {
				t.Fatalf("thread %s is at %q, want %d", thread, number, want)
			}
		}
		if len(counts) > kind.Threads {
			t.Errorf("%d threads", len(counts))
		}
	})
}
