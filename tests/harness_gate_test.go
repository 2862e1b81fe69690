package tests

import (
	"net"
	"path/filepath"
	"testing"
	"time"
)

// Gate is where applications meet the test: they connect to the unix socket $GATE and wait for a byte.
// So a test knows that a request is inside the application, and keeps it there as long as it wants.
type Gate struct {
	t        *testing.T
	listener net.Listener
}

// NewGate opens a gate that closes with the test.
func NewGate(t *testing.T) *Gate {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(shortDir(t), "gate"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return &Gate{t, listener}
}

// Env is the variable that tells an application where the gate is.
func (g *Gate) Env() string {
	return "GATE=" + g.listener.Addr().String()
}

// Visitor is one request that waits at the gate.
type Visitor struct {
	t *testing.T
	net.Conn
}

// Await waits until an application arrives.
func (g *Gate) Await() *Visitor {
	g.t.Helper()
	visitor := g.AwaitFor(patience)
	if visitor == nil {
		g.t.Fatalf("nobody came to the gate within %v", patience)
	}
	return visitor
}

// AwaitFor waits so long for an application; nil: none has come.
func (g *Gate) AwaitFor(d time.Duration) *Visitor {
	g.listener.(*net.UnixListener).SetDeadline(time.Now().Add(d))
	connection, err := g.listener.Accept()
	if err != nil {
		return nil
	}
	connection.SetDeadline(time.Now().Add(patience))
	g.t.Cleanup(func() { connection.Close() })
	return &Visitor{g.t, connection}
}

// Release lets the request go on.
func (v *Visitor) Release() {
	v.t.Helper()
	if _, err := v.Write([]byte("!")); err != nil {
		v.t.Fatalf("opening the gate: %v", err)
	}
	v.Close()
}
