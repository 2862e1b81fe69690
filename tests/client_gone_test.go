package tests

import (
	"strings"
	"testing"
	"time"
)

// A client that closes its sending half still gets its response, small or large.
func TestHalfClosedClients(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "slow", Kind: kind})
		for _, path := range []string{"/", "/list", "/generator", "/file"} {
			c := s.Dial()
			c.Send(get(path))
			c.CloseWrite()
			if r := c.Next("GET"); path == "/" {
				r.Want(t, 200, "0")
			} else {
				wantLarge(t, r)
			}
			c.ExpectClosed()
		}
	})
}

// A reset in the middle of a response ends the generator and closes the file; nobody else notices.
func TestResetInTheMiddle(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "slow", Kind: kind, Args: []string{"--spool-response-limit", "1M"}})
		for range 3 {
			for _, path := range []string{"/list", "/generator", "/endless", "/file"} {
				c := s.Dial()
				c.Send(get(path))
				c.ReadRaw(100000)
				c.Reset()
			}
			s.Get("/").Want(t, 200, "0")
		}
		eventually(t, "all are closed", func() bool {
			return strings.HasPrefix(s.Get("/state").Body, "(3, 3, 3, ")
		})
	})
}

// A request whose client has gone before its turn came is not run, and the log says so.
func TestGoneBeforeItsTurn(t *testing.T) {
	t.Parallel()
	gate := NewGate(t)
	s := Start(t, Options{App: "framing", Kind: syncKind, Env: []string{gate.Env()}})
	kept := s.Dial()
	kept.Roundtrip(get("/")).Want(t, 200, "GET|/||test|HTTP/1.1|||")
	busy := s.Dial()
	busy.Send(get("/gate"))
	visitor := gate.Await()
	reset, closed := s.Dial(), s.Dial()
	for _, c := range []*Conn{kept, reset, closed} {
		c.Send(get("/smuggled"))
	}
	kept.Reset()
	reset.Reset()
	closed.Close()
	<-time.After(500 * time.Millisecond) // a client that has only finished sending is not taken for one that has gone
	visitor.Release()
	busy.Next("GET").Want(t, 200, "passed")
	s.Get("/served").Want(t, 200, "[]")
	s.WaitLog(`Client ip=127\.0\.0\.1 left before its request was run: "GET /smuggled HTTP/1\.1"`, 1)
}
