package tests

import "testing"

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
		for _, c := range conns[:3] {
			c.ExpectClosed()
		}
		for _, c := range conns[3:] {
			c.Roundtrip(get("/")).Want(t, 200, "Hello, world!\n")
		}
	})
}
