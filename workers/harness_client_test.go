package workers

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// client is a connection that sends raw bytes and reads strictly.
type client struct {
	t *testing.T
	net.Conn
	reader *bufio.Reader
}

func (s *server) dial() *client {
	s.t.Helper()
	c, err := s.try()
	if err != nil {
		s.t.Fatal(err)
	}
	s.clients = append(s.clients, c)
	return c
}

// try is dial for goroutines; the caller closes the connection.
func (s *server) try() (*client, error) {
	c, err := net.Dial(s.address.Network(), s.address.String())
	if err != nil {
		return nil, err
	}
	return s.newClient(c), nil
}

func (s *server) newClient(c net.Conn) *client {
	c.SetDeadline(time.Now().Add(patience))
	return &client{t: s.t, Conn: c, reader: bufio.NewReader(c)}
}

// dialSmall connects with a receive buffer that takes a few KiB at once.
func (s *server) dialSmall() *client {
	s.t.Helper()
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<10)
		})
	}}
	c, err := d.Dial(s.address.Network(), s.address.String())
	if err != nil {
		s.t.Fatal(err)
	}
	return s.adopt(c)
}

func (s *server) adopt(conn net.Conn) *client {
	c := s.newClient(conn)
	s.clients = append(s.clients, c)
	return c
}

func (c *client) send(text string) *client {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		c.t.Fatalf("sending: %v", err)
	}
	return c
}

// response of the server.
type response struct {
	status int
	closes bool // it says Connection: close
	body   string
}

func (c *client) next(method string) response {
	c.t.Helper()
	r, err := c.try(method)
	if err != nil {
		c.t.Fatalf("reading a response: %v", err)
	}
	return r
}

func (c *client) try(method string) (response, error) {
	r, err := http.ReadResponse(c.reader, &http.Request{Method: method})
	if err != nil {
		return response{}, err
	}
	body, err := io.ReadAll(r.Body)
	return response{r.StatusCode, r.Close, string(body)}, err
}

// want reads a response and compares it.
func (c *client) want(method string, status int, body string) response {
	c.t.Helper()
	r := c.next(method)
	if r.status != status || r.body != body {
		c.t.Fatalf("got %d %.200q, want %d %.200q", r.status, r.body, status, body)
	}
	return r
}

// get is a roundtrip of a small request.
func (c *client) get(target string) {
	c.t.Helper()
	c.send(get(target)).want("GET", 200, echoed("GET", target, "none", ""))
}

// closed demands the end of the connection, without a byte more, within limit.
func (c *client) closed(limit time.Duration) {
	c.t.Helper()
	c.SetReadDeadline(time.Now().Add(limit))
	rest, err := io.ReadAll(c.reader)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		c.t.Fatalf("not closed within %v: %v", limit, err)
	}
	if len(rest) > 0 {
		c.t.Fatalf("bytes behind the response: %.200q", rest)
	}
}

// endWriting half-closes.
func (c *client) endWriting() {
	c.t.Helper()
	if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		c.t.Fatal(err)
	}
}

// reset closes with a RST.
func (c *client) reset() {
	c.Conn.(*net.TCPConn).SetLinger(0)
	c.Close()
}

func get(target string) string {
	return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target)
}

func post(target, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", target, len(body), body)
}

// chunked is a request whose body comes in chunks of size bytes.
func chunked(target, body string, size int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", target)
	for len(body) > 0 {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n\r\n"
}

// pattern is a body of n bytes in which displaced bytes show.
func pattern(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8*3)
	}
	return string(b)
}

func sockaddr(address net.Addr) unix.Sockaddr {
	tcp := address.(*net.TCPAddr)
	return &unix.SockaddrInet4{Port: tcp.Port, Addr: [4]byte(tcp.IP.To4())}
}

// connOf makes a socket a net.Conn.
func connOf(t *testing.T, fd int) net.Conn {
	t.Helper()
	f := os.NewFile(uintptr(fd), "client")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
