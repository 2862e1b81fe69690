package tests

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/pyhost/pyhost/protocol/http1/corpus"
)

const (
	framingHead = "GET / HTTP/1.1\r\nHost: x\r\n"
	framingPost = "POST / HTTP/1.1\r\nHost: x\r\n"
	framingNext = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
)

// message is what a client sends, and the status that it gets; 0: it left before its end, and gets nothing.
type message struct {
	name, wire string
	status     int
}

// refusedMessages are the corpus, its bodies behind a head, and what settings refuse.
func refusedMessages() (all []message) {
	for _, m := range corpus.Refused {
		all = append(all, message{m.Name + " (RFC " + m.RFC + ")", m.Wire + framingNext, m.Status})
	}
	const coded = framingPost + "Transfer-Encoding: chunked\r\n\r\n"
	for _, m := range corpus.ChunkedBodies {
		switch m.Status {
		case -1:
			all = append(all, message{"chunks " + m.Name, coded + m.Wire, 0})
		case 0:
		default:
			all = append(all, message{"chunks, " + m.Name + " (RFC 9112 7.1)", coded + m.Wire + framingNext, m.Status})
		}
	}
	return append(all, []message{
		{"length over the limit (RFC 9110 15.5.14)", framingPost + "Content-Length: 1001\r\n\r\n" + framingNext, 413},
		{"chunk over the limit (RFC 9110 15.5.14)", coded + "3e9\r\n" + framingNext, 413},
		{"body cut (RFC 9112 8)", framingPost + "Content-Length: 5\r\n\r\nhell", 0},
		{"head cut (RFC 9112 8)", framingHead, 0},
	}...)
}

// servedRequests reach the application, which answers with what it saw; then the connection serves another.
var servedRequests = []struct{ name, rfc, wire, want string }{
	{"least", "9112 3", framingHead + "\r\n", "GET|/||x|HTTP/1.1|||"},
	{"empty line first", "9112 2.2", "\r\n" + framingHead + "\r\n", "GET|/||x|HTTP/1.1|||"},
	{"absolute form", "9112 3.2.2", "GET http://y/a?b HTTP/1.1\r\nHost: x\r\n\r\n", "GET|/a|b|y|HTTP/1.1|||"},
	{"asterisk form", "9112 3.2.4", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS|*||x|HTTP/1.1|||"},
	{"slashes and dots stay", "9112 3.2.1",
		"GET //evil/../p HTTP/1.1\r\nHost: x\r\n\r\n", "GET|//evil/../p||x|HTTP/1.1|||"},
	{"wrong escape stays", "3986 2.1", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "GET|/%zz||x|HTTP/1.1|||"},
	{"latin-1", "9110 5.5", framingHead + "X-A: caf\xe9\r\n\r\n", "GET|/||x|HTTP/1.1|caf\xe9||"},
	{"joined", "9110 5.3", framingHead + "X-A: a\r\nX-A: b\r\nX_A: c\r\n\r\n", "GET|/||x|HTTP/1.1|a,b||"},
	{"cookies", "6265 5.4", framingHead + "Cookie: a=b\r\nCookie: c=d\r\n\r\n", "GET|/||x|HTTP/1.1||a=b; c=d|"},
	{"underscore", "3875 4.1.18", framingHead + "X_A: a\r\n\r\n", "GET|/||x|HTTP/1.1|||"},
	{"length", "9110 8.6", framingPost + "Content-Length: 5\r\n\r\nhello", "POST|/||x|HTTP/1.1|||hello"},
	{"chunks", "9112 7.1", framingPost + "Transfer-Encoding: chunked\r\n\r\n" +
		"3;a=\"b\"\r\nhel\r\n2\r\nlo\r\n0\r\nX-A: trailer\r\n\r\n", "POST|/||x|HTTP/1.1|||hello"},
}

// splits are the ways in which the bytes of a request arrive. What comes whole is read by a Python thread, what comes
// in pieces by the goroutine lane.
var splits = map[string]func(left int) int{
	"whole":  func(left int) int { return left },
	"single": func(left int) int { return 1 + left/300 },
	"random": func(left int) int { return 1 + rand.IntN(min(left, 60)) },
}

// sendPieces sends until the server has enough.
func (c *Conn) sendPieces(wire string, size func(left int) int) {
	for len(wire) > 0 {
		n := size(len(wire))
		if _, err := io.WriteString(c.Conn, wire[:n]); err != nil {
			return
		}
		wire = wire[n:]
	}
}

// refuse sends one message and demands its status, the end of the connection, and nothing behind it.
func (m message) refuse(c *Conn, split func(left int) int) error {
	defer c.Close()
	c.sendPieces(m.wire, split)
	if m.status == 0 {
		c.CloseWrite()
	} else if r, err := readResponse(c.reader, "GET"); err != nil || r.Status != m.status || !r.Closes() {
		return fmt.Errorf("%+v, %w, want %d", r, err, m.status)
	}
	if rest, err := io.ReadAll(c.reader); len(rest) > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
		return fmt.Errorf("then %q, %w", rest, err)
	}
	return nil
}

// residentKiB is what the worker has in memory.
func residentKiB(t *testing.T, s *Server) (kib int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Workers()[0]))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(text, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}

// Strict framing: one error and the end of the connection for what is no correct message, however it is split and
// whatever carries it; nothing behind it is taken for a request.
func TestRefusedRequests(t *testing.T) {
	authority := NewAuthority(t)
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := startTLS(t, authority, Options{App: "framing", Kind: kind,
			Bind: []string{"http://127.0.0.1:0", "https://127.0.0.2:0"}, Args: []string{"--limit-request-body", "1000"}})
		s.Expect(`Invalid request from ip=127\.0\.0\.1: [^\n]+ \([45]\d\d\)`)
		plain, secure := s.Addresses[0], s.Addresses[1]
		refused, resident := 0, 0
		for _, round := range []struct{ address, split string }{
			{plain, "whole"}, {plain, "single"}, {plain, "random"}, {secure, "whole"}, {secure, "random"},
		} {
			for _, m := range refusedMessages() {
				c := s.DialTo(round.address)
				if round.address == secure {
					tunnel := tls.Client(c.Conn, &tls.Config{RootCAs: authority.Pool, ServerName: "example.org"})
					c = &Conn{t: t, Conn: tunnel, reader: bufio.NewReader(tunnel)}
				}
				if err := m.refuse(c, splits[round.split]); err != nil {
					t.Errorf("%s, %v: %v", m.name, round, err)
				}
				if m.status > 0 {
					refused++
				}
			}
			if resident == 0 {
				resident = residentKiB(t, s)
			}
		}
		if grown := residentKiB(t, s) - resident; grown > 16<<10 {
			t.Errorf("the worker grew by %d KiB", grown)
		}
		if n := strings.Count(s.Log(), "Invalid request from ip="); n != refused {
			t.Errorf("%d log records of %d refusals", n, refused)
		}
	})
}

func TestServedRequests(t *testing.T) {
	authority := NewAuthority(t)
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := startTLS(t, authority, Options{App: "framing", Kind: kind,
			Bind: []string{"http://127.0.0.1:0", "https://127.0.0.2:0"}})
		for name, split := range splits {
			tunnel := tls.Client(s.DialTo(s.Addresses[1]).Conn,
				&tls.Config{RootCAs: authority.Pool, ServerName: "example.org"})
			for _, c := range []*Conn{s.Dial(), {t: t, Conn: tunnel, reader: bufio.NewReader(tunnel)}} {
				for _, test := range servedRequests {
					c.sendPieces(test.wire, split)
					if r := c.Next("GET"); r.Status != 200 || r.Body != test.want {
						t.Errorf("%s (%s), %s: %d %q, want %q", test.name, test.rfc, name, r.Status, r.Body, test.want)
					}
				}
				for _, m := range corpus.ChunkedBodies {
					if m.Status != 0 {
						continue
					}
					body := m.Wire[:len(m.Wire)-m.Rest]
					c.sendPieces(framingPost+"Transfer-Encoding: chunked\r\n\r\n"+body, split)
					c.Next("POST").Want(t, 200, "POST|/||x|HTTP/1.1|||"+m.Body)
				}
			}
		}
	})
}

// A body that the application leaves unread is never the next request (RFC 9112 9.3), buffered or not.
func TestUnreadBodies(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		buffered := Start(t, Options{App: "framing", Kind: kind})
		streamed := Start(t, Options{App: "framing", Kind: kind, Args: []string{"--no-request-buffering"}})
		for _, size := range []int{5, 9000, 300000} {
			inside := strings.Repeat("GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", size/38+1)
			for _, wire := range []string{post("/unread", inside), chunked("/unread", inside)} {
				c := buffered.Dial()
				c.Roundtrip(wire).Want(t, 200, "unread")
				c.Roundtrip(get("/")).Want(t, 200, "GET|/||test|HTTP/1.1|||")
				c = streamed.Dial()
				head := strings.Index(wire, "\r\n\r\n") + 4
				c.Send(wire[:head])
				c.Next("POST").Want(t, 200, "unread")
				c.sendPieces(wire[head:]+get("/"), splits["whole"])
				c.ExpectClosed()
			}
		}
		for _, s := range []*Server{buffered, streamed} {
			s.Get("/served").Want(t, 200, "[]")
		}
	})
}

// The answer to the first of two requests does not wait for the second.
func TestPipelineIsFlushed(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "framing", Kind: kind, Env: []string{gate.Env()}})
		c := s.Dial()
		c.Send(get("/one"), get("/gate"))
		c.Next("GET").Want(t, 200, "GET|/one||test|HTTP/1.1|||")
		gate.Await().Release()
		c.Next("GET").Want(t, 200, "passed")
	})
}

// gunicorn's switches, on the command line.
func TestLenientRequests(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "framing", Args: []string{
		"--permit-obsolete-folding", "--strip-header-spaces", "--permit-unconventional-http-method",
		"--permit-unconventional-http-version", "--casefold-http-method", "--header-map", "dangerous",
	}})
	s.Do("g#t / HTTP/1.3\r\nHost: x\r\nX-A : a\r\n b\r\nX_A: c\r\n\r\n").Want(t, 200, "G#T|/||x|HTTP/1.1|a b,c||")
	strict := Start(t, Options{App: "framing", Args: []string{"--header-map", "refuse"}})
	strict.Expect(`Invalid request from ip=127\.0\.0\.1: header name with _ \(header_map is refuse\) \(400\)`)
	if r := strict.Do(framingHead + "X_A: a\r\n\r\n"); r.Status != 400 {
		t.Errorf("%+v", r)
	}
}

// Clients that are late are told so; one that does not read costs a thread no more than write_timeout.
func TestLateClients(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "framing", Kind: kind, Args: []string{
			"--header-timeout", "1", "--body-timeout", "1", "--body-min-rate", "0", "--write-timeout", "1",
		}})
		s.Expect(`request head not complete in time \(header_timeout\) \(408\)`)
		s.Expect(`request body stood still for too long \(body_timeout\) \(408\)`)
		silent, half, body := s.Dial(), s.Dial(), s.Dial()
		half.Send("GET / HT")
		body.Send(framingPost + "Content-Length: 5\r\n\r\nhe")
		stalled := make([]*Conn, kind.Threads)
		for i := range stalled {
			stalled[i] = s.Dial()
			stalled[i].Send(get("/stream"))
		}
		for _, c := range []*Conn{half, body} {
			if r := c.Next("GET"); r.Status != 408 {
				t.Errorf("%+v", r)
			}
			c.ExpectClosed()
		}
		silent.ExpectClosed()
		eventually(t, "the generators are closed", func() bool { return s.Get("/closed").Body == fmt.Sprint(kind.Threads) })
		if !strings.Contains(s.Log(), "took nothing of the response to /stream for 1s (write_timeout)") {
			t.Error("the log does not tell of the clients that take nothing")
		}
	})
}

// A body that cannot be kept is answered with 507 (RFC 4918 11.5): no directory to write to, and a full disk.
func TestSpoolDirectoryFull(t *testing.T) {
	t.Parallel()
	for directory, cause := range map[string]string{"/proc/self": "", smallDisk(t, "64K"): "no space left on device"} {
		s := Start(t, Options{App: "framing", Args: []string{"--spool-dir", directory, "--spool-threshold", "1K"}})
		s.Allow("will be refused .507.: user id") // unless root runs the tests
		s.Expect(`Cannot keep the request body of ip=127\.0\.0\.1: spooling to ` + directory + `: [^\n]*` + cause)
		body := strings.Repeat("x", 200000)
		for _, wire := range []string{post("/", body), chunked("/", body[:70000], body[70000:])} {
			r := s.Do(wire)
			if r.Status != 507 || !r.Closes() {
				t.Errorf("%+v", r)
			}
		}
		s.Do(post("/", "small")).Want(t, 200, "POST|/||test|HTTP/1.1|||small")
	}
}
