package tests

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestKeepAlive(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "input", Kind: kind})
		c := s.Dial()
		for i := range 50 {
			body := strings.Repeat("x", i*i)
			r := c.Roundtrip(post("/?read", body)).Want(t, 200, fmt.Sprintf("[%q]", body))
			if r.Closes() {
				t.Fatalf("request %d closes", i)
			}
			c.Roundtrip(get("/?read")).Want(t, 200, `[""]`)
		}
	})
}

// RFC 9112 section 9.3.2: the answers come in the order of the requests.
func TestPipelining(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "input", Kind: kind})
		var requests strings.Builder
		for i := range 30 {
			requests.WriteString(post("/?read", fmt.Sprint("counted ", i)))
			requests.WriteString(get("/?read"))
			requests.WriteString(chunked("/?read", "chunked ", fmt.Sprint(i)))
		}
		for _, size := range []int{requests.Len(), 1000, 61} {
			c := s.Dial()
			c.SendSplit(requests.String(), size)
			for i := range 30 {
				c.Next("POST").Want(t, 200, fmt.Sprintf(`["counted %d"]`, i))
				c.Next("GET").Want(t, 200, `[""]`)
				c.Next("POST").Want(t, 200, fmt.Sprintf(`["chunked %d"]`, i))
			}
		}
	})
}

func TestConnectionHeader(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Kind: kind})
		for _, c := range []struct {
			version, connection string
			keeps               bool
		}{
			{"1.1", "", true},
			{"1.1", "Connection: keep-alive\r\n", true},
			{"1.1", "Connection: close\r\n", false},
			{"1.1", "Connection: CLOSE\r\n", false},
			{"1.1", "Connection: close, TE\r\n", false},
			{"1.1", "Connection: TE\r\nConnection: close\r\n", false},
			{"1.0", "", false},
			{"1.0", "Connection: keep-alive\r\n", true},
			{"1.0", "Connection: Keep-Alive, TE\r\n", true},
			{"1.0", "Connection: close\r\n", false},
		} {
			connection := s.Dial()
			request := "GET / HTTP/" + c.version + "\r\nHost: test\r\n" + c.connection + "\r\n"
			r := connection.Roundtrip(request).Want(t, 200, "Hello, world!\n")
			says := strings.ToLower(r.Value("Connection"))
			switch {
			case !c.keeps:
				if c.version == "1.1" && says != "close" {
					t.Errorf("%q: Connection: %q", request, says)
				}
				connection.ExpectClosed()
			case c.version == "1.0" && says != "keep-alive":
				t.Errorf("%q: Connection: %q", request, says)
			default:
				connection.Roundtrip(request).Want(t, 200, "Hello, world!\n")
			}
		}
	})
}

// An idle connection is closed after --keep-alive seconds, without a word and without a log line.
func TestKeepAliveTimeout(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Kind: kind, Args: []string{"--keep-alive", "1"}})
		c := s.Dial()
		c.Roundtrip(get("/")).Want(t, 200, "Hello, world!\n")
		begin := time.Now()
		c.ExpectClosed()
		if idle := time.Since(begin); idle < 900*time.Millisecond || idle > 10*time.Second {
			t.Errorf("closed after %v", idle)
		}
	})
}

func TestKeepAliveOff(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Kind: kind, Args: []string{"--keep-alive", "0"}})
		c := s.Dial()
		if r := c.Roundtrip(get("/")).Want(t, 200, "Hello, world!\n"); !r.Closes() {
			t.Errorf("%v", r.Fields)
		}
		c.ExpectClosed()
	})
}

// Idle connections and half-sent heads occupy no thread: a worker that has more of them than threads still serves.
func TestSilentConnectionsBlockNobody(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Kind: kind})
		var half []*Conn
		for i := range 12 {
			c := s.Dial()
			switch i % 3 {
			case 1:
				c.Send("GET / HTTP/1.1\r\nHo")
				half = append(half, c)
			case 2:
				c.Roundtrip(get("/")).Want(t, 200, "Hello, world!\n")
			}
		}
		s.Get("/").Want(t, 200, "Hello, world!\n")
		for _, c := range half {
			c.Send("st: test\r\n\r\n")
			c.Next("GET").Want(t, 200, "Hello, world!\n")
		}
	})
}
