package workers

import (
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// conversations are what a client sends on one connection, to its end, and the statuses that it gets.
var conversations = []struct {
	name     string
	sent     string
	statuses string
}{
	{"get", get("/a?b=c"), "200"},
	{"head", "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n" + get("/b"), "200 200"},
	{"HTTP/1.0", "GET /a HTTP/1.0\r\n\r\n" + get("/never"), "200"},
	{"HTTP/1.0 kept", "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n", "200 200"},
	{"pipelined", get("/1") + get("/2") + get("/3"), "200 200 200"},
	{"pipelined, the last cut", get("/1") + get("/2") + "GET /3 HT", "200 200"},
	{"body", post("/a", "hello") + get("/b"), "200 200"},
	{"empty body", post("/a", "") + get("/b"), "200 200"},
	{"chunked", chunked("/a", pattern(300), 7) + get("/b"), "200 200"},
	{"chunked, empty", chunked("/a", "", 1) + get("/b"), "200 200"},
	{"chunked, with extension and trailer", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"2;a=b\r\nhi\r\n0\r\nX: y\r\n\r\n" + get("/b"), "200 200"},
	{"all kinds pipelined", post("/1", pattern(50)) + get("/2") + chunked("/3", pattern(99), 50) + get("/4"),
		"200 200 200 200"},
	{"empty line first", "\r\n" + get("/a") + "\r\n" + get("/b"), "200 200"},
	{"close", "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + get("/never"), "200"},
	{"body cut", strings.TrimSuffix(post("/a", "hello"), "lo"), ""},
	{"chunked body cut", strings.TrimSuffix(chunked("/a", "hello", 5), "\n"), ""},

	{"no Host", "GET / HTTP/1.1\r\n\r\n", "400"},
	{"garbage", "\x16\x03\x01 hello\r\n\r\n", "400"},
	{"second is garbage", get("/a") + "BAD\r\n\r\n" + get("/never"), "200 400"},
	{"two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
	{"length and chunked", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"0\r\n\r\n", "400"},
	{"bad chunk", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n", "400"},
	{"bad chunk after a good one", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", "400"},
	{"long line", "GET /" + strings.Repeat("a", 5000) + " HTTP/1.1\r\nHost: x\r\n\r\n", "414"},
	{"long field", "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 9000) + "\r\n\r\n", "431"},
	{"many fields", "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 101) + "\r\n", "431"},
	{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
}

var (
	statusLine = regexp.MustCompile(`HTTP/1\.1 (\d+) `)
	dateLine   = regexp.MustCompile(`\r\nDate: [^\r]*`)
)

// What a client gets does not depend on how its bytes were cut into packets: served whole by a Python thread, or put
// together in the goroutine lane.
func TestBothLanesAnswerAlike(t *testing.T) {
	for _, o := range []options{{}, {unix: true}, {threads: 3}} {
		t.Run(fmt.Sprintf("unix=%v,threads=%d", o.unix, max(o.threads, 1)), func(t *testing.T) {
			s := start(t, o)
			for _, k := range conversations {
				t.Run(k.name, func(t *testing.T) {
					s.in(t)
					whole := s.converse(k.sent, len(k.sent))
					if got := statuses(whole); got != k.statuses {
						t.Fatalf("statuses %q, want %q", got, k.statuses)
					}
					if got := s.converse(k.sent, 1); got != whole {
						t.Errorf("byte by byte the answer is %.300q, not %.300q", got, whole)
					}
					for range 3 {
						if got := s.converse(k.sent, 0); got != whole {
							t.Errorf("cut at random the answer is %.300q, not %.300q", got, whole)
						}
					}
				})
			}
		})
	}
}

func statuses(transcript string) string {
	var all []string
	for _, m := range statusLine.FindAllStringSubmatch(transcript, -1) {
		all = append(all, m[1])
	}
	return strings.Join(all, " ")
}

// converse sends text in pieces of size bytes, 0 = at random, then the end of the stream, and returns all that comes
// back, but for dates. The server may stop reading before the end: a refused client is not listened to for ever.
func (s *server) converse(text string, size int) string {
	s.t.Helper()
	c := s.dial()
	defer c.Close()
	for len(text) > 0 {
		n := size
		if n == 0 {
			n = 1 + rand.IntN(1+len(text)/3)
		}
		n = min(n, len(text))
		if _, err := io.WriteString(c.Conn, text[:n]); err != nil {
			break
		}
		text = text[n:]
	}
	c.Conn.(interface{ CloseWrite() error }).CloseWrite()
	answer, err := io.ReadAll(c.reader)
	if err != nil {
		s.t.Errorf("after %.200q: %v", answer, err)
	}
	return dateLine.ReplaceAllString(string(answer), "")
}
