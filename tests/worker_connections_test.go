package tests

import (
	"slices"
	"testing"
)

// At the limit of worker_connections the oldest idle connection gives way to a new one; nobody waits for keepalive.
func TestOldestIdleConnectionGivesWay(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Kind: kind, Args: []string{"--worker-connections", "5", "--keep-alive", "60"}})
		var conns []*Conn
		for range 8 {
			c := s.Dial()
			c.Roundtrip(get("/")).Want(t, 200, "Hello, world!\n")
			conns = append(conns, c)
		}
		// The eighth is served, so three have given way, or four, as two threads may make room for one connection. Which of
		// the first five has been idle for longest depends on when its thread put it aside.
		var closed []int
		for i, c := range conns {
			c.Send(get("/"))
			if r, err := readResponse(c.reader, "GET"); err != nil {
				closed = append(closed, i)
			} else {
				r.Want(t, 200, "Hello, world!\n")
			}
		}
		if len(closed) < 3 || len(closed) > 4 || slices.Max(closed) > 4 {
			t.Errorf("closed are %v, want three of the first five", closed)
		}
	})
}
