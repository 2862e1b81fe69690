package tests

import (
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Frames of HTTP/2 (RFC 9113 6) that the tests write and read by hand.
const (
	frameData, frameHeaders, frameReset, frameSettings, framePing, frameWindow = 0, 1, 3, 4, 6, 8
	endStream, endHeaders                                                      = 1, 4
)

// sendFrame sends one frame.
func (c *Conn) sendFrame(kind, flags byte, stream byte, payload string) {
	c.t.Helper()
	c.Send(string([]byte{0, byte(len(payload) >> 8), byte(len(payload)), kind, flags, 0, 0, 0, stream}) + payload)
}

// sendPreface begins HTTP/2 with a client's settings (RFC 9113 3.4).
func (c *Conn) sendPreface(settings string) {
	c.t.Helper()
	c.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	c.sendFrame(frameSettings, 0, 0, settings)
}

// openStream asks for a path. The indexes are those of HPACK's static table (RFC 7541 A).
func (c *Conn) openStream(stream byte, path string) {
	c.t.Helper()
	c.sendFrame(frameHeaders, endStream|endHeaders, stream,
		"\x82\x87\x04"+string([]byte{byte(len(path))})+path+"\x01\x0bexample.org")
}

// awaitFrame reads until a frame of a kind comes for a stream, or for any if it is 0, and returns its payload.
func (c *Conn) awaitFrame(kind, stream byte) string {
	c.t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	for seen := ""; ; {
		head := make([]byte, 9)
		if _, err := io.ReadFull(c.reader, head); err != nil {
			c.t.Fatalf("no frame of type %d for stream %d: %v, but\n%s", kind, stream, err, seen)
		}
		payload := make([]byte, int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(c.reader, payload); err != nil {
			c.t.Fatal(err)
		}
		if head[3] == kind && (stream == 0 || head[8] == stream) {
			return string(payload)
		}
		seen += fmt.Sprintln(hex.EncodeToString(head))
	}
}

// A client that lets a response have no window does not hold it for ever: the stream is reset after write_timeout, and
// the others go on.
func TestHTTP2NoWindow(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	s := startTLS(t, authority, Options{App: "tls", Args: []string{"--http-protocols", "h2", "--write-timeout", "1",
		"--keep-alive", "60"}})
	c := s.DialTLS(&tls.Config{RootCAs: authority.Pool, NextProtos: []string{"h2"}})
	c.sendPreface("\x00\x04\x00\x00\x00\x00") // the initial window is 0
	c.openStream(1, "/100000")
	c.awaitFrame(frameReset, 1)
	s.WaitLog(`Client ip=127.0.0.1 took nothing of a stream for 1s \(write_timeout\): reset`, 1)
	c.openStream(3, "/9")
	c.awaitFrame(frameReset, 3)
	c.openStream(5, "/9")
	c.awaitFrame(frameHeaders, 5)
	c.sendFrame(frameWindow, 0, 5, "\x00\x00\xff\xff")
	if body := c.awaitFrame(frameData, 5); body != strings.Repeat("x", 9) {
		t.Errorf("with a window the body is %q", body)
	}
}

// A few clients with many streams, whose bodies never come, do not use up the worker's descriptors.
func TestHTTP2TooManyStreams(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	s := startTLS(t, authority, Options{App: "hello", Args: []string{"--http-protocols", "h2", "--keep-alive", "60",
		"--worker-connections", "3", "--access-logfile", "-", "--access-logformat", "%(r)s %(s)s %(outcome)s"}})
	s.Expect(`Busy: "GET /more HTTP/2.0" from ip=127.0.0.1 refused, 3 other streams are open`)
	s.Allow(`Busy: "(POST|GET) / HTTP/2.0"`) // the latter until it is noticed that the client has gone
	c := s.DialTLS(&tls.Config{RootCAs: authority.Pool, NextProtos: []string{"h2"}})
	c.sendPreface("")
	for stream := byte(1); stream <= 7; stream += 2 {
		c.sendFrame(frameHeaders, endHeaders, stream, "\x83\x87\x84\x01\x0bexample.org") // POST /, and no end
	}
	s.WaitLog(`Busy: "POST / HTTP/2.0"`, 1) // one of the four
	c.openStream(9, "/more")
	if page := c.awaitFrame(frameData, 9); !strings.Contains(page, "<title>Service Unavailable") {
		t.Errorf("the page is %q", page)
	}
	eventually(t, "the access log tells it", func() bool {
		return strings.Contains(s.Output(), "GET /more HTTP/2.0 503 refused\n")
	})
	c.Close()
	client := http2Client(t, authority, s)
	eventually(t, "there is room again", func() bool {
		_, body := h2(t, client, "/", nil)
		return body == "Hello, world!\n"
	})
}

// net/http would add a guess.
func TestHTTP2NoContentType(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	s := startTLS(t, authority, Options{App: "no_body", Args: []string{"--http-protocols", "h2"}})
	response, body := h2(t, http2Client(t, authority, s), "/200/list", nil)
	if _, there := response.Header["Content-Type"]; there || body != "not for you" {
		t.Errorf("head %q, body %q", response.Header, body)
	}
}

// A request that is refused is told as the one that came.
func TestHTTP2RefusalsInTheLog(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	s := startTLS(t, authority, Options{App: "hello", Args: []string{"--http-protocols", "h2", "--access-logfile", "-",
		"--access-logformat", "%(r)s %(s)s"}})
	s.Expect("Invalid request from ip=127.0.0.1: more than one Content-Type")
	client := http2Client(t, authority, s)
	if response, _ := h2(t, client, "/x", nil, "Content-Type: a/b", "Content-Type: c/d"); response.StatusCode != 400 {
		t.Errorf("status %d", response.StatusCode)
	}
	s.Expect("Invalid request from ip=127.0.0.1: path is empty or has a blank")
	s.Expect("Invalid request from ip=127.0.0.1: Content-Length is not the length of the body")
	c := s.DialTLS(&tls.Config{RootCAs: authority.Pool, NextProtos: []string{"h2"}})
	c.sendPreface("")
	c.openStream(1, "/a b")
	if page := c.awaitFrame(frameData, 1); !strings.Contains(page, "<title>Bad Request") {
		t.Errorf("the page is %q", page)
	}
	c.sendFrame(frameHeaders, endStream|endHeaders, 3, "\x82\x87\x84\x01\x0bexample.org\x0f\x0d\x017")
	if page := c.awaitFrame(frameData, 3); !strings.Contains(page, "<title>Bad Request") {
		t.Errorf("a Content-Length of 7 without a body: %q", page)
	}
	eventually(t, "the access log tells it", func() bool {
		return s.Output() == "GET /x HTTP/2.0 400\n"+`- GET\x20/a\x20b\x20HTTP/2.0 - 400`+"\nGET / HTTP/2.0 400\n"
	})
}

// What many streams at once have opened inside the worker is closed when it has been idle, however long the connection
// lives on.
func TestHTTP2Descriptors(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	s := startTLS(t, authority, Options{App: "hello", Args: []string{"--http-protocols", "h2", "--keep-alive", "1"}})
	c := s.DialTLS(&tls.Config{RootCAs: authority.Pool, NextProtos: []string{"h2"}})
	c.sendPreface("")
	// A stream that stays open: its body never comes.
	c.sendFrame(frameHeaders, endHeaders, 1, "\x83\x87\x84\x01\x0bexample.org")
	few := len(s.settledDescriptors(s.Workers()[0]))
	const first, last = 3, 101
	for stream := first; stream <= last; stream += 2 {
		c.openStream(byte(stream), "/")
	}
	for waiting := (last-first)/2 + 1; waiting > 0; waiting-- {
		c.awaitFrame(frameData, 0)
	}
	eventually(t, "the worker closes what the streams needed", func() bool {
		return len(openDescriptors(s.Workers()[0])) <= few
	})
}

// net/http would answer OPTIONS * by itself.
func TestHTTP2OptionsAsterisk(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	s := startTLS(t, authority, Options{App: "hello", Args: []string{"--http-protocols", "h2"}})
	c := s.DialTLS(&tls.Config{RootCAs: authority.Pool, NextProtos: []string{"h2"}})
	c.sendPreface("")
	c.sendFrame(frameHeaders, endStream|endHeaders, 1, "\x87\x04\x01*\x01\x0bexample.org\x02\x07OPTIONS")
	if body := c.awaitFrame(frameData, 1); body != "Hello, world!\n" {
		t.Errorf("the body is %q", body)
	}
}

// A client that has said nothing after the handshake has the time of a request head, and a short one when the worker
// stops.
func TestHTTP2Silence(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	for limit, silent := range map[string]func(s *Server, c *Conn){
		"1": func(s *Server, c *Conn) {},
		"0": func(s *Server, c *Conn) { s.Signal(syscall.SIGTERM) },
	} {
		args := []string{"--http-protocols", "h2", "--header-timeout", limit}
		s := startTLS(t, authority, Options{App: "hello", Args: args})
		c := s.DialTLS(&tls.Config{RootCAs: authority.Pool, NextProtos: []string{"h2"}})
		silent(s, c)
		c.SetReadDeadline(time.Now().Add(8 * time.Second))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("header_timeout %s: the connection is still open after 8 s", limit)
		}
	}
}

// curl --http1.0 offers HTTP/1.0 in the handshake, and nothing else.
func TestHTTP2BesideHTTP10(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	s := startTLS(t, authority, Options{App: "hello", Args: []string{"--http-protocols", "h2,h1"}})
	c := s.DialTLS(&tls.Config{RootCAs: authority.Pool, NextProtos: []string{"http/1.0"}})
	c.Send("GET / HTTP/1.0\r\n\r\n")
	if r := c.Next("GET"); r.Status != 200 {
		t.Errorf("status %d", r.Status)
	}
}

// A client that opens streams and resets them (CVE-2023-44487) does not get more requests into the worker than it may
// have streams.
func TestHTTP2RapidReset(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	s := startTLS(t, authority, Options{App: "stuck", Args: []string{"--http-protocols", "h2",
		"--http2-max-concurrent-streams", "8"}})
	s.Allow("left (before its request was run|in the middle of its request)")
	c := s.DialTLS(&tls.Config{RootCAs: authority.Pool, NextProtos: []string{"h2"}})
	c.sendPreface("")
	c.openStream(1, "/nap")
	eventually(t, "the thread is busy", func() bool { return strings.Contains(s.Output(), "busy") })
	idle := len(openDescriptors(s.Workers()[0]))
	for stream := 3; stream <= 65; stream += 2 { // no more: net/http would disconnect it
		c.openStream(byte(stream), "/")
		c.sendFrame(frameReset, 0, byte(stream), "\x00\x00\x00\x08")
		c.sendFrame(framePing, 0, 0, "12345678")
		c.awaitFrame(framePing, 0)
	}
	if more := len(openDescriptors(s.Workers()[0])) - idle; more > 24 {
		t.Errorf("%d descriptors more than before, for 8 streams", more)
	}
}

// Apache's mod_proxy_http2 ends a GET with an empty DATA frame: that is no body.
func TestHTTP2EmptyData(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "file"), []byte("its content"), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"--http-protocols", "h2", "--static", "/s=" + folder}
	s := startTLS(t, authority, Options{App: "input", Args: args})
	c := s.DialTLS(&tls.Config{RootCAs: authority.Pool, NextProtos: []string{"h2"}})
	c.sendPreface("")
	c.sendFrame(frameHeaders, endHeaders, 1, "\x82\x87\x04\x07/s/file\x01\x0bexample.org")
	c.sendFrame(frameData, endStream, 1, "")
	if body := c.awaitFrame(frameData, 1); body != "its content" {
		t.Errorf("the body is %q", body)
	}
	c.sendFrame(frameHeaders, endHeaders, 3, "\x82\x87\x04\x06/?read\x01\x0bexample.org")
	c.sendFrame(frameData, 0, 3, "a bo")
	c.sendFrame(frameData, endStream, 3, "dy")
	if body := c.awaitFrame(frameData, 3); !strings.Contains(body, "a body") {
		t.Errorf("the body of a GET is %q", body)
	}
}
