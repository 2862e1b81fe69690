package tests

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
)

const (
	framingHead = "GET / HTTP/1.1\r\nHost: x\r\n"
	framingPost = "POST / HTTP/1.1\r\nHost: x\r\n"
	framingNext = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
)

// refusedRequests are answered with an error and the end of the connection, whatever follows them.
var refusedRequests = []struct {
	name, rfc string
	status    int
	wire      string
}{
	{"method in lower case", "9110 9.1", 400, "get / HTTP/1.1\r\nHost: x\r\n\r\n"},
	{"method is no token", "9110 5.6.2", 400, "G(T / HTTP/1.1\r\nHost: x\r\n\r\n"},
	{"TLS", "9112 3", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"},
	{"two empty lines first", "9112 2.2", 400, "\r\n\r\n" + framingHead + "\r\n"},
	{"HTTP/0.9", "9112 3", 400, "GET /\r\n\r\n"},
	{"two spaces", "9112 3", 400, "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"},
	{"HTTP/1.2", "9110 15.6.6", 505, "GET / HTTP/1.2\r\nHost: x\r\n\r\n"},
	{"HTTP/2.0", "9110 15.6.6", 505, "GET / HTTP/2.0\r\nHost: x\r\n\r\n"},
	{"HTTP/2 preface", "9113 3.4", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
	{"relative target", "9112 3.2", 400, "GET index.html HTTP/1.1\r\nHost: x\r\n\r\n"},
	{"* without OPTIONS", "9112 3.2.4", 400, "GET * HTTP/1.1\r\nHost: x\r\n\r\n"},
	{"UTF-8 in target", "9112 3.2", 400, "GET /caf\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n"},
	{"NUL in target", "9112 3.2", 400, "GET /a\x00b HTTP/1.1\r\nHost: x\r\n\r\n"},
	{"CONNECT", "9110 9.1", 501, "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n"},
	{"no Host", "9112 3.2", 400, "GET / HTTP/1.1\r\n\r\n"},
	{"two Hosts", "9112 3.2", 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
	{"Host list", "9110 7.2", 400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
	{"Host with userinfo", "9110 7.2", 400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"},
	{"space before colon", "9112 5.1", 400, framingPost + "Content-Length : 5\r\n\r\nhello"},
	{"space in name", "9112 5.1", 400, framingHead + "X Foo: v\r\n\r\n"},
	{"folded line", "9112 5.2", 400, framingHead + "X-A: a\r\n b\r\n\r\n"},
	{"folded Transfer-Encoding", "9112 5.2", 400, framingPost + "Transfer-Encoding:\r\n chunked\r\n\r\n"},
	{"head with LF only", "9112 2.2", 400, "GET / HTTP/1.1\nHost: x\n\n"},
	{"one line with LF", "9112 2.2", 400, framingHead + "X-A: a\nX-B: b\r\n\r\n"},
	{"LF LF, then CRLF CRLF", "9112 2.2", 400, framingHead + "X-A: a\n\nX-B: b\r\n\r\n"},
	{"CR in value", "9112 2.2", 400, framingHead + "X-A: a\rb\r\n\r\n"},
	{"NUL in value", "9110 5.5", 400, framingHead + "X-A: a\x00b\r\n\r\n"},
	{"no colon", "9112 5", 400, framingHead + "X-Foo\r\n\r\n"},
	{"length +5", "9110 8.6", 400, framingPost + "Content-Length: +5\r\n\r\nhello"},
	{"length -5", "9110 8.6", 400, framingPost + "Content-Length: -5\r\n\r\nhello"},
	{"length 0x5", "9110 8.6", 400, framingPost + "Content-Length: 0x5\r\n\r\nhello"},
	{"length 5abc", "9110 8.6", 400, framingPost + "Content-Length: 5abc\r\n\r\nhello"},
	{"length 5_0", "9110 8.6", 400, framingPost + "Content-Length: 5_0\r\n\r\nhello"},
	{"two equal lengths", "9112 6.3", 400, framingPost + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
	{"two lengths", "9112 6.3", 400, framingPost + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"},
	{"huge length", "9110 8.6", 413, framingPost + "Content-Length: 184467440737095516165\r\n\r\n"},
	{"length and coding", "9112 6.1", 400,
		framingPost + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"identity", "9112 6.1", 400, framingPost + "Transfer-Encoding: identity\r\n\r\n"},
	{"gzip, chunked", "9112 6.1", 501, framingPost + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
	{"xchunked", "9112 6.1", 501, framingPost + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
	{"two codings", "9112 6.1", 400,
		framingPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"coding in HTTP/1.0", "9112 6.1", 400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"unknown expectation", "9110 10.1.1", 417, framingPost + "Content-Length: 5\r\nExpect: x\r\n\r\nhello"},
	{"chunk size with LF", "9112 7.1", 400, framingPost + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n"},
	{"chunk size 0x5", "9112 7.1", 400, framingPost + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"},
	{"chunk size -5", "9112 7.1", 400, framingPost + "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"},
	{"chunk too long", "9112 7.1", 400, framingPost + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n"},
	{"chunk size overflow", "9112 7.1", 400,
		framingPost + "Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n"},
	{"LF in an extension", "9112 7.1.1", 400,
		framingPost + "Transfer-Encoding: chunked\r\n\r\n5;a\nhello\r\n0\r\n\r\n"},
	{"bad trailer", "9112 7.1.2", 400, framingPost + "Transfer-Encoding: chunked\r\n\r\n0\r\nX-A\r\n\r\n"},
	{"long request line", "9112 3", 414, "GET /" + strings.Repeat("a", 4094) + " HTTP/1.1\r\nHost: x\r\n\r\n"},
	{"long header", "6585 5", 431, framingHead + "X-A: " + strings.Repeat("a", 8190) + "\r\n\r\n"},
	{"many headers", "6585 5", 431, framingHead + strings.Repeat("X-A: a\r\n", 100) + "\r\n"},
	{"body over the limit", "9110 15.5.14", 413, framingPost + "Content-Length: 1001\r\n\r\n"},
	{"chunk over the limit", "9110 15.5.14", 413, framingPost + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n"},
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

// Strict framing: one error and the end of the connection for what is no correct message, however it is split; nothing
// behind it is taken for a request.
func TestRefusedRequests(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "framing", Kind: kind, Args: []string{"--limit-request-body", "1000"}})
		s.Expect(`Invalid request from ip=127\.0\.0\.1: [^\n]+ \([45]\d\d\)`)
		refused := 0
		for name, split := range splits {
			for _, test := range refusedRequests {
				c := s.Dial()
				c.sendPieces(test.wire+framingNext, split)
				r, err := readResponse(c.reader, "GET")
				if err != nil || r.Status != test.status || !r.Closes() {
					t.Errorf("%s (%s), %s: %+v, %v, want %d", test.name, test.rfc, name, r, err, test.status)
				}
				rest, err := io.ReadAll(c.reader)
				if len(rest) > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("%s, %s: then %q, %v", test.name, name, rest, err)
				}
				c.Close()
				refused++
			}
		}
		if n := strings.Count(s.Log(), "Invalid request from ip="); n != refused {
			t.Errorf("%d log records of %d refusals", n, refused)
		}
	})
}

func TestServedRequests(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "framing", Kind: kind})
		for name, split := range splits {
			c := s.Dial()
			for _, test := range servedRequests {
				c.sendPieces(test.wire, split)
				if r := c.Next("GET"); r.Status != 200 || r.Body != test.want {
					t.Errorf("%s (%s), %s: %d %q, want %q", test.name, test.rfc, name, r.Status, r.Body, test.want)
				}
			}
		}
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
			"--header-timeout", "1", "--body-timeout", "1", "--write-timeout", "1",
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

// A body that cannot be kept is answered with 507 (RFC 4918 11.5).
func TestSpoolDirectoryFull(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "framing", Args: []string{"--spool-dir", "/proc/self", "--spool-threshold", "1K"}})
	s.Expect(`Cannot keep the request body of ip=127\.0\.0\.1: spooling to /proc/self: `)
	if r := s.Do(post("/", strings.Repeat("x", 200000))); r.Status != 507 {
		t.Errorf("%+v", r)
	}
	s.Do(post("/", "small")).Want(t, 200, "POST|/||test|HTTP/1.1|||small")
}
