package tests

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// PEP 3333, "Buffering and Streaming": a block is on its way before the application is asked for the next one, or while
// it makes that: those that follow each other at once may leave together.
func TestBlocksAreFlushed(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "flush", Kind: kind, Env: []string{gate.Env()}})
		for _, c := range []struct{ path, version, framing, first string }{
			{"/generator", "1.1", "chunked", "7\r\nbefore \r\n"},
			{"/length", "1.1", "length", "before "},
			{"/write", "1.1", "chunked", "7\r\nbefore \r\n"},
			{"/generator", "1.0", "close", "before "},
			{"/burst", "1.1", "chunked", "1\r\nb\r\n1\r\ne\r\n1\r\nf\r\n4\r\nore \r\n"},
			{"/burst-write", "1.1", "chunked", "1\r\nb\r\n1\r\ne\r\n1\r\nf\r\n4\r\nore \r\n"},
			{"/burst", "1.0", "close", "before "},
		} {
			connection := s.Dial()
			connection.Send("GET " + c.path + " HTTP/" + c.version + "\r\nHost: test\r\n\r\n")
			visitor := gate.Await()
			head, err := readHead(connection.reader)
			if err != nil {
				t.Fatal(err)
			}
			if got := connection.ReadRaw(len(c.first)); got != c.first {
				t.Errorf("%s: first blocks %q", c.path, got)
			}
			visitor.Release()
			if err := head.readBody(connection.reader, "GET"); c.framing != "length" && err != nil {
				t.Fatal(err)
			} else if c.framing == "length" {
				head.Body = head.Body[:min(5, len(head.Body))]
			}
			if head.Body != "after" || head.Framing != c.framing {
				t.Errorf("%s: second block %q, framing %s", c.path, head.Body, head.Framing)
			}
			connection.Close()
		}
	})
}

// Blocks that waited for each other wait for no longer than the eye could see, whatever the application does then.
func TestBlocksLeaveSoon(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "flush", Kind: kind, Env: []string{gate.Env()}})
		waits := make([]time.Duration, 21)
		for i := range waits {
			connection := s.Dial()
			connection.Send("GET /burst HTTP/1.0\r\n\r\n")
			visitor := gate.Await()
			began := time.Now()
			if _, err := readHead(connection.reader); err != nil {
				t.Fatal(err)
			}
			connection.ReadRaw(len("before "))
			waits[i] = time.Since(began)
			visitor.Release()
			connection.ReadRaw(len("after"))
			connection.Close()
		}
		slices.Sort(waits)
		if median := waits[len(waits)/2]; median > 20*time.Millisecond {
			t.Errorf("half of the blocks took %v", median)
		}
	})
}

// What an application has yielded arrives, although it fails before it yields more.
func TestBlocksBeforeAFailure(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "flush", Kind: kind, Env: []string{gate.Env()}})
		s.Expect(`Error handling request GET /broken`)
		connection := s.Dial()
		connection.Send(get("/broken"))
		gate.Await().Release()
		if r := connection.Next("GET"); r.Body != "before after" || !r.Truncated {
			t.Errorf("the body is %q, truncated %v", r.Body, r.Truncated)
		}
	})
}

// Bytes that an application sends on the socket itself come after those that it gave to write(), also where the client
// has not taken these.
func TestBlocksBeforeTheSocketIsTaken(t *testing.T) {
	full := fullSocket(t)
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "flush", Kind: kind, Bind: []string{"unix:" + shortDirectory(t) + "/s"}})
		for range 200 {
			if r := s.Do("GET /socket HTTP/1.0\r\n\r\n"); r.Body != "before after" {
				t.Fatalf("the body is %q", r.Body)
			}
		}
		for _, size := range []int{full - 400, full - 150, full, full + 100, 3 * full} {
			connection := s.Dial()
			connection.reader = bufio.NewReader(&sipping{Conn: connection, pauses: 3})
			connection.Send(fmt.Sprintf("GET /socket/%d HTTP/1.0\r\n\r\n", size))
			if r := connection.Next("GET"); r.Body != strings.Repeat("-", size)+"before after" {
				t.Errorf("%d: the body has %d bytes and ends in %q", size, len(r.Body), r.Body[max(0, len(r.Body)-20):])
			}
			connection.Close()
		}
	})
}

// What a process has written before it forks is sent once, and before what the child writes.
func TestBlocksBeforeAFork(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "flush", Kind: kind})
		for range 20 {
			if r := s.Do("GET /forked HTTP/1.0\r\n\r\n"); r.Body != "before and after" {
				t.Fatalf("the body is %q", r.Body)
			}
		}
	})
}

// A client that does not read for a while gets everything in order, and what was yielded before a pause during that
// pause, whether its socket was full before those blocks, or within them.
func TestBlocksForAFullSocket(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "flush", Kind: kind, Env: []string{gate.Env()},
			Bind: []string{"unix:" + shortDirectory(t) + "/s", "127.0.0.1:0"}})
		full := fullSocket(t)
		for _, size := range []int{full - 4000, full - 400, full - 200, full - 100, full, full + 50} {
			throughAFullSocket(t, gate, s.Dial(), fmt.Sprintf("/filling/%d/1", size), strings.Repeat("-", size)+"+before ")
		}
		before := "-" + strings.Repeat("+", 30000) + "before "
		throughAFullSocket(t, gate, narrow(t, s.Addresses[1]), "/narrow/30000", before)
		connection := narrow(t, s.Addresses[1])
		connection.Send("GET /narrow/30000 HTTP/1.0\r\n\r\n")
		visitor := gate.Await()
		eventually(t, "a part of the second block is out", func() bool { return unread(t, connection) > 300 })
		visitor.Release() // it goes on before the client has read anything
		if r := connection.Next("GET"); r.Body != before+"after" {
			t.Errorf("the body has %d bytes and ends in %q", len(r.Body), r.Body[max(0, len(r.Body)-20):])
		}
		connection.Close()
	})
}

// throughAFullSocket reads when the application pauses; before is what it yields up to then.
func throughAFullSocket(t *testing.T, gate *Gate, connection *Conn, path, before string) {
	t.Helper()
	connection.Send("GET " + path + " HTTP/1.0\r\n\r\n")
	visitor := gate.Await()
	if _, err := readHead(connection.reader); err != nil {
		t.Fatal(err)
	}
	if got := connection.ReadRaw(len(before)); got != before {
		t.Errorf("%s: the blocks end in %q", path, got[len(got)-20:])
	}
	visitor.Release()
	if got := connection.ReadRaw(5); got != "after" {
		t.Errorf("%s: then %q", path, got)
	}
	connection.Close()
}

// narrow connects a client that takes few bytes before it reads.
func narrow(t *testing.T, address string) *Conn {
	t.Helper()
	small := func(_, _ string, raw syscall.RawConn) (err error) {
		raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 2048) })
		return err
	}
	connection, err := (&net.Dialer{Control: small}).Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	connection.SetDeadline(time.Now().Add(patience))
	return &Conn{t: t, Conn: connection, reader: bufio.NewReader(connection)}
}

// unread is how many bytes wait for the client.
func unread(t *testing.T, c *Conn) (n int) {
	t.Helper()
	raw, err := c.Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCINQ) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A client that takes nothing for the write timeout, while the application pauses, is given up at the next block.
func TestBlocksForAStalledClient(t *testing.T) {
	t.Parallel()
	gate := NewGate(t)
	s := Start(t, Options{App: "flush", Kind: gthreadKind, Env: []string{gate.Env()},
		Args: []string{"--write-timeout", "2", "--spool-response-limit", "0"}})
	s.Expect(`took nothing of the response to /narrow`)
	throughAFullSocket(t, gate, narrow(t, s.Addresses[0]), "/narrow/100", "-"+strings.Repeat("+", 100)+"before ")
	connection, visitor := stalled(t, s, gate)
	ended := s.Get("/ends").Body
	<-time.After(2500 * time.Millisecond) // the client is given up after 2 s
	began := time.Now()
	visitor.Release()
	eventually(t, "the generator is closed", func() bool { return s.Get("/ends").Body != ended })
	if took := time.Since(began); took > 1800*time.Millisecond {
		t.Errorf("the generator was closed after %v", took)
	}
	connection.Close()
}

// stalled makes an application pause while what it has yielded waits for a client that does not read. Where it was
// disturbed between two blocks, it waits itself: then another client tries.
func stalled(t *testing.T, s *Server, gate *Gate) (*Conn, *Visitor) {
	t.Helper()
	for range 10 {
		connection := narrow(t, s.Addresses[0])
		connection.Send("GET /narrow/30000 HTTP/1.0\r\n\r\n")
		if visitor := gate.AwaitFor(time.Second); visitor != nil {
			return connection, visitor
		}
		connection.Close()
	}
	t.Fatal("the application never paused")
	return nil, nil
}

// fullSocket is how many bytes a unix socket takes of one write before it is full.
func fullSocket(t *testing.T) int {
	t.Helper()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ends[0])
	defer unix.Close(ends[1])
	n, err := unix.SendmsgN(ends[0], make([]byte, 8<<20), nil, nil, unix.MSG_DONTWAIT)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
