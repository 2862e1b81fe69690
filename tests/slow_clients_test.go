package tests

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// large is the body of the application slow, 20 MiB.
const large = 20 << 20

// slowCases are what clients do that hold a worker elsewhere: eight of them, then an ordinary request.
var slowCases = []struct {
	name string
	wire string
	kept bool // after one response
}{
	{"idle", "", false},
	{"idle after a response", get("/"), true},
	{"half a head", "GET / HTTP/1.1\r\nHost: x\r\nX-A: ", false},
	{"half a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx", false},
	{"list unread", get("/list"), false},
	{"generator unread", get("/generator"), false},
	{"file unread", get("/file"), false},
}

// Eight clients of a kind that wait or let wait hold up nobody else, with four threads and with one.
func TestSlowClients(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "slow", Kind: kind})
		s.Allow("left in the middle of its request")
		for _, test := range slowCases {
			conns := make([]*Conn, 8)
			for i := range conns {
				conns[i] = s.Dial()
				conns[i].Send(test.wire)
				if test.kept {
					conns[i].Next("GET").Want(t, 200, "0")
				}
			}
			began := time.Now()
			s.Get("/").Want(t, 200, "0")
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%s: an ordinary request took %v", test.name, took)
			}
			if test.name == "list unread" || test.name == "generator unread" {
				eventually(t, "the responses wait on the disk, not in memory", func() bool { return nameless(t, s) == len(conns) })
			}
			if strings.HasSuffix(test.name, "unread") { // two of them read after all
				for _, c := range conns[:2] {
					wantLarge(t, c.Next("GET"))
					c.Roundtrip(get("/")).Want(t, 200, "0")
				}
			}
			for _, c := range conns {
				c.Close()
			}
			eventually(t, "nothing is kept for those that have left", func() bool { return nameless(t, s) == 0 })
		}
		eventually(t, "generators and files are closed", func() bool {
			return strings.HasPrefix(s.Get("/state").Body, "(8, 0, 8, ")
		})
	})
}

// nameless is how many temporary files without a name the worker has open.
func nameless(t *testing.T, s *Server) (count int) {
	t.Helper()
	for _, target := range openDescriptors(s.Workers()[0]) {
		if strings.HasSuffix(target, " (deleted)") && !strings.Contains(target, "memfd:") {
			count++
		}
	}
	return count
}

var largeBody = strings.Repeat("0123456789abcdef", large/16)

func wantLarge(t *testing.T, r *Response) {
	t.Helper()
	if r.Status != 200 || r.Body != largeBody {
		t.Errorf("status %d, %d bytes", r.Status, len(r.Body))
	}
}

// What a slow reader gets is what the application sent, in whatever pieces; also through TLS, and where the ring of the
// temporary file is smaller than the response.
func TestSlowReadersGetAll(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	for _, test := range []struct {
		kind  Kind
		limit string
		paths string
	}{
		{syncKind, "64M", "/generator /file"}, {gthreadKind, "3M", "/generator /list"}, {gthreadKind, "0", "/generator"},
	} {
		s := startTLS(t, authority, Options{App: "slow", Kind: test.kind,
			Args: []string{"--spool-response-limit", test.limit}, Bind: []string{"http://127.0.0.1:0", "https://127.0.0.2:0"}})
		for _, path := range strings.Fields(test.paths) {
			tunnel := tls.Client(s.DialTo(s.Addresses[1]).Conn,
				&tls.Config{RootCAs: authority.Pool, ServerName: "example.org"})
			for _, c := range []*Conn{s.Dial(), {t: t, Conn: tunnel, reader: bufio.NewReader(tunnel)}} {
				c.reader = bufio.NewReader(&sipping{Conn: c, pauses: 3})
				c.Send(get(path), get("/"))
				wantLarge(t, c.Next("GET"))
				c.Next("GET").Want(t, 200, "0")
				c.Close()
			}
		}
	}
}

// A client that reads slowly, but steadily, is none that takes nothing, even if the kernel finds room for more only
// after write_timeout; also through TLS.
func TestSteadySlowReader(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	s := startTLS(t, authority, Options{App: "tls", Bind: []string{"http://127.0.0.1:0", "https://127.0.0.2:0"},
		Args: []string{"--write-timeout", "2", "--threads", "2"}})
	for _, address := range s.Addresses {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			c := s.DialTo(address)
			c.t = t
			if err := c.Conn.(*net.TCPConn).SetReadBuffer(32 << 10); err != nil {
				t.Fatal(err)
			}
			if address == s.Addresses[1] {
				c.Conn = tls.Client(c.Conn, &tls.Config{RootCAs: authority.Pool, ServerName: "example.org"})
			}
			c.reader = bufio.NewReaderSize(&trickling{Conn: c, until: time.Now().Add(5 * time.Second)}, 8<<10)
			c.Send(get("/20000000"))
			if r := c.Next("GET"); r.Status != 200 || len(r.Body) != 20000000 {
				t.Errorf("status %d, %d bytes", r.Status, len(r.Body))
			}
		})
	}
}

// trickling is a reader that takes little at a time at first.
type trickling struct {
	*Conn
	until time.Time
}

func (s *trickling) Read(p []byte) (int, error) {
	if time.Now().Before(s.until) {
		<-time.After(50 * time.Millisecond)
	}
	return s.Conn.Read(p)
}

// sipping is a reader that pauses now and then, in the beginning, for longer than the server waits for it.
type sipping struct {
	*Conn
	pauses int
}

func (s *sipping) Read(p []byte) (int, error) {
	if s.pauses > 0 {
		s.pauses--
		<-time.After(60 * time.Millisecond) // the client is slow: it is not waiting for anything
	}
	n, err := s.Conn.Conn.Read(p[:min(len(p), 64<<10)])
	return n, err
}

// An endless stream to a client that does not read fills the temporary file and then waits; a client that leaves ends
// it, and one that goes on reading gets more.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "slow", Kind: gthreadKind, Args: []string{"--spool-response-limit", "4M"}})
	c := s.Dial()
	c.Send(get("/endless"))
	produced := func() (blocks int) {
		var a, b, f int
		fmt.Sscanf(s.Get("/state").Body, "(%d, %d, %d, %d)", &a, &b, &f, &blocks)
		return blocks
	}
	settled := func() (blocks int) {
		eventually(t, "the application waits for its client", func() bool {
			before := blocks
			blocks = produced()
			<-time.After(100 * time.Millisecond) // the stream has this long to move
			return blocks > 64 && blocks == before
		})
		return blocks
	}
	first := settled()
	if first > 64+400 { // 4 MiB, and what two sockets hold
		t.Errorf("%d blocks of 64 KiB were produced", first)
	}
	io.CopyN(io.Discard, c.reader, 16<<20)
	if second := settled(); second < first+100 {
		t.Errorf("%d blocks, then %d: the client has read 256", first, second)
	}
	if grown := residentKiB(t, s); grown > 200<<10 {
		t.Errorf("the worker has %d KiB in memory", grown)
	}
	c.Close()
	eventually(t, "the stream is ended", func() bool { return strings.Contains(s.Get("/state").Body, "(0, 1, ") })
}

// Without room for a temporary file a stream waits for its client, as without one.
func TestSpillWithoutRoom(t *testing.T) {
	t.Parallel()
	for _, directory := range []string{"/proc/self", smallDisk(t, "1M")} {
		s := Start(t, Options{App: "slow", Args: []string{"--spool-dir", directory}})
		s.Allow("will be refused .507.: user id") // unless root runs the tests
		c := s.Dial()
		slow := &sipping{Conn: c, pauses: 5}
		c.reader = bufio.NewReader(slow)
		c.Send(get("/generator"), get("/list"), get("/"))
		wantLarge(t, c.Next("GET"))
		slow.pauses = 5
		wantLarge(t, c.Next("GET"))
		c.Next("GET").Want(t, 200, "0")
	}
}

// A crowd of slow clients, which all go on being slow, and ordinary ones: these wait no longer than the machine makes
// them. bench/slow.py measures a larger one.
func TestCrowd(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "slow", Workers: 2, Args: []string{"--keep-alive", "60"}})
	s.Allow("left in the middle of its request")
	var slow []*Conn
	for i := range 400 {
		c := s.Dial()
		switch {
		case i%4 == 0:
			c.Send("GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
		case i%20 == 1:
			c.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
		case i%40 == 2:
			c.Send(get("/generator"))
		case i%40 == 22:
			c.Send(get("/list"))
		default:
			continue // idle
		}
		slow = append(slow, c)
	}
	ordinary := s.Dial()
	waits := make([]time.Duration, 300)
	for i := range waits {
		dribbler := slow[i%len(slow)]
		if i%len(slow)%3 == 0 {
			io.WriteString(dribbler.Conn, "x")
		}
		began := time.Now()
		ordinary.Roundtrip(get("/")).Want(t, 200, "0")
		waits[i] = time.Since(began)
	}
	slices.Sort(waits)
	if tail := waits[len(waits)*9/10]; tail > 300*time.Millisecond {
		t.Errorf("one of ten ordinary requests took %v or longer", tail)
	}
}

// A stop waits for those who still read what the application has long produced.
func TestStopWithSlowReaders(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "slow", Kind: kind})
		conns := map[string]*Conn{}
		for _, path := range []string{"/generator", "/list", "/file"} {
			conns[path] = s.Dial()
			conns[path].Send(get(path))
		}
		eventually(t, "all have been produced", func() bool {
			return strings.HasPrefix(s.Get("/state").Body, "(1, 0, 1, ")
		})
		s.Signal(syscall.SIGTERM)
		s.WaitLog("Handling signal: term", 1)
		for _, c := range conns {
			wantLarge(t, c.Next("GET"))
			c.ExpectClosed()
		}
		s.WaitExit(0)
	})
}
