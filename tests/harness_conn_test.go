package tests

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Conn is a client connection that sends raw bytes and reads strictly.
type Conn struct {
	t *testing.T
	net.Conn
	reader *bufio.Reader
}

// Dial connects to the server's first address.
func (s *Server) Dial() *Conn {
	s.t.Helper()
	return s.DialTo(s.Addresses[0])
}

// DialTo connects to one address in the form of Server.Addresses; the connection ends with the test.
func (s *Server) DialTo(address string) *Conn {
	s.t.Helper()
	c, err := s.TryDial(address)
	if err != nil {
		s.t.Fatalf("connecting to %s: %v", address, err)
	}
	return c
}

// TryDial is DialTo for goroutines and for servers that may not be there.
func (s *Server) TryDial(address string) (*Conn, error) {
	network, name := splitAddress(address)
	connection, err := net.DialTimeout(network, name, patience)
	if err != nil {
		return nil, err
	}
	connection.SetDeadline(time.Now().Add(patience))
	c := &Conn{t: s.t, Conn: connection, reader: bufio.NewReader(connection)}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.conns = append(s.conns, c)
	return c, nil
}

// Send writes the bytes as one segment.
func (c *Conn) Send(parts ...string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, strings.Join(parts, "")); err != nil {
		c.t.Fatalf("sending: %v", err)
	}
}

// SendSplit writes the bytes in segments of at most size bytes.
func (c *Conn) SendSplit(data string, size int) {
	c.t.Helper()
	for len(data) > size {
		c.Send(data[:size])
		data = data[size:]
	}
	c.Send(data)
}

// CloseWrite sends the end of the stream and keeps reading.
func (c *Conn) CloseWrite() {
	c.t.Helper()
	if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		c.t.Fatalf("half-closing: %v", err)
	}
}

// Reset closes the connection so that the server sees a reset (TCP) instead of an end of file.
func (c *Conn) Reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.Close()
}

// Next reads the next response, interim or final, to a request with this method.
func (c *Conn) Next(method string) *Response {
	c.t.Helper()
	response, err := readResponse(c.reader, method)
	if err != nil {
		c.t.Fatalf("reading the response: %v", err)
	}
	return response
}

// Roundtrip sends one raw request and reads its response.
func (c *Conn) Roundtrip(request string) *Response {
	c.t.Helper()
	c.Send(request)
	method, _, _ := strings.Cut(request, " ")
	return c.Next(method)
}

// ReadRaw returns exactly the next n bytes of the stream.
func (c *Conn) ReadRaw(n int) string {
	c.t.Helper()
	data := make([]byte, n)
	if _, err := io.ReadFull(c.reader, data); err != nil {
		c.t.Fatalf("reading %d bytes: %v", n, err)
	}
	return string(data)
}

// ExpectClosed demands that the server has closed, or now closes, the connection and sends nothing more.
func (c *Conn) ExpectClosed() {
	c.t.Helper()
	rest, err := io.ReadAll(c.reader)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		c.t.Fatalf("waiting for the close: %v", err)
	}
	if len(rest) > 0 {
		c.t.Fatalf("bytes after the response: %q", rest)
	}
}

// get is a minimal request without body.
func get(path string) string {
	return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: test\r\n\r\n", path)
}

// post is a request with a counted body.
func post(path, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

// chunked is a request whose body is sent in these chunks.
func chunked(path string, chunks ...string) string {
	var request strings.Builder
	fmt.Fprintf(&request, "POST %s HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n", path)
	for _, chunk := range append(chunks, "") {
		fmt.Fprintf(&request, "%x\r\n%s\r\n", len(chunk), chunk)
	}
	return request.String()
}

// Do sends one raw request on a connection of its own and returns its response.
func (s *Server) Do(request string) *Response {
	s.t.Helper()
	c := s.Dial()
	defer c.Close()
	return c.Roundtrip(request)
}

// Get requests a path on a connection of its own.
func (s *Server) Get(path string) *Response {
	s.t.Helper()
	return s.Do(get(path))
}

// TryGet is Get for goroutines and for servers that may not answer.
func (s *Server) TryGet(path string) (*Response, error) {
	c, err := s.TryDial(s.Addresses[0])
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if _, err := io.WriteString(c.Conn, get(path)); err != nil {
		return nil, err
	}
	return readResponse(c.reader, "GET")
}
