package tests

import (
	"fmt"
	"slices"
	"strings"
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

// Bytes that an application sends on the socket itself come after those that it gave to write().
func TestBlocksBeforeTheSocketIsTaken(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "flush", Kind: kind})
		for range 200 {
			if r := s.Do("GET /socket HTTP/1.0\r\n\r\n"); r.Body != "before after" {
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
			Bind: []string{"unix:" + shortDirectory(t) + "/s"}})
		full := fullSocket(t)
		for _, size := range []int{full - 4000, full - 400, full - 200, full - 150, full - 100, full - 50, full, full + 50} {
			connection := s.Dial()
			connection.Send(fmt.Sprintf("GET /filling/%d HTTP/1.0\r\n\r\n", size))
			visitor := gate.Await()
			if _, err := readHead(connection.reader); err != nil {
				t.Fatal(err)
			}
			want := strings.Repeat("-", size) + "before "
			if got := connection.ReadRaw(len(want)); got != want {
				t.Errorf("%d: the blocks end in %q", size, got[len(got)-20:])
			}
			visitor.Release()
			if got := connection.ReadRaw(5); got != "after" {
				t.Errorf("%d: then %q", size, got)
			}
			connection.Close()
		}
	})
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
