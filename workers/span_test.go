package workers

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/workers/static"
)

// spanFile is a file with these bytes.
func spanFile(t *testing.T, text string) *os.File {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "span"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
	return file
}

// spanPair is a connection: the server's end, and the client's.
func spanPair(t *testing.T) (server, client *os.File) {
	t.Helper()
	ours, client, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	server = os.NewFile(uintptr(ours), "server")
	t.Cleanup(func() {
		server.Close()
		client.Close()
	})
	if err := unix.SetNonblock(ours, true); err != nil {
		t.Fatal(err)
	}
	return server, client
}

// A tail in a file: a part of it, and a ring that begins in its middle.
func TestTailInAFile(t *testing.T) {
	s := prepare(t, options{})
	large := strings.Repeat("0123456789", 100_000)
	for _, test := range []struct {
		name, text     string
		from, to, ring int64
		want           string
	}{
		{"part", "0123456789", 2, 7, 0, "23456"},
		{"ring, in one piece", "0123456789", 12, 17, 10, "23456"},
		{"ring, in two pieces", "0123456789", 17, 24, 10, "7890123"},
		{"full ring", "0123456789", 10, 20, 10, "0123456789"},
		{"large ring", large, 999_995, 1_999_995, 1_000_000, large[999_995:] + large[:999_995]},
	} {
		server, client := spanPair(t)
		span := embedpy.Span{FD: int(spanFile(t, test.text).Fd()), From: test.from, To: test.to, Ring: test.ring}
		failure := make(chan error, 1)
		go func() {
			failure <- s.w.lane.sendTail(server, embedpy.Tail{File: span}, s.w.timeouts.write)
			server.Close()
		}()
		got, err := io.ReadAll(client)
		if string(got) != test.want || err != nil {
			t.Errorf("%s: %d bytes, %.30q, %v", test.name, len(got), got, err)
		}
		if err := <-failure; err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// A file that becomes shorter cannot be sent to its end; a client that does not read, or has left, is given up.
func TestTailInAFileFails(t *testing.T) {
	s := prepare(t, options{})
	s.w.timeouts.write = 50 * time.Millisecond
	large := spanFile(t, strings.Repeat("0123456789", 1_000_000))
	send := func(server *os.File, to int64) error {
		return s.w.lane.sendTail(server, embedpy.Tail{File: embedpy.Span{FD: int(large.Fd()), To: to}}, s.w.timeouts.write)
	}
	server, client := spanPair(t)
	if err := send(server, 10_000_000); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("unread: %v", err)
	}
	client.Close()
	if err := send(server, 10_000_000); !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("left: %v", err)
	}
	if err := large.Truncate(5); err != nil {
		t.Fatal(err)
	}
	server, _ = spanPair(t)
	if err := send(server, 10); !errors.Is(err, static.ErrShort) {
		t.Errorf("truncated: %v", err)
	}
}

// unreadable is a file that ends each attempt to read its beginning with an error of the kernel's, EIO.
func unreadable(t *testing.T) *os.File {
	t.Helper()
	file, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// A file that the disk does not give is the server's fault: the log says so, and the client sees that the response is
// not complete.
func TestTailOfUnreadableFile(t *testing.T) {
	file := unreadable(t)
	s := start(t, options{app: func(c *call) {
		c.send([]byte("HTTP/1.0 200 X\r\n\r\nbeginning"))
		c.p.tails.Add(1)
		*private[int64](c.x, "tailFile"), *private[uint64](c.x, "tailTo") = int64(file.Fd()), 10
		c.x.Outcome |= embedpy.OutcomeCommitted
	}})
	c := s.dial().send(get("/"))
	if text, err := io.ReadAll(c); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("%q, %v", text, err)
	}
	s.wantLog("Cutting the response to ip=127.0.0.1: pread: input/output error")
}
