package workers

import (
	"fmt"
	"hash/crc32"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/workers/socket"
	"github.com/pyhost/pyhost/wsgi"
)

// fakePython is a Go function in place of the interpreter. As the C layer does, it writes the response to the
// exchange's descriptor, never waits for a reader, and leaves in the exchange what the socket did not take.
type fakePython struct {
	app     func(*call)
	halves  []*halves
	forked  atomic.Bool
	opened  atomic.Int64 // connections that got a Python side
	dropped atomic.Int64 // and gave it back
	tails   atomic.Int64 // tails handed out and not freed
	calls   atomic.Int64
	signal  func() (exit bool, text string) // the application's signal handlers; nil = none
}

// halves is an exchange and its fields that only C writes.
type halves struct {
	x                                            *embedpy.Exchange
	head, tail, message                          *unsafe.Pointer
	headLength, tailOffset, tailLen, messageSize *uint64
	dropped                                      atomic.Bool
}

func newFakePython(threads int, app func(*call)) *fakePython {
	p := &fakePython{app: app}
	for range threads {
		x := new(embedpy.Exchange)
		p.halves = append(p.halves, &halves{
			x:           x,
			head:        private[unsafe.Pointer](x, "head"),
			tail:        private[unsafe.Pointer](x, "tail"),
			message:     private[unsafe.Pointer](x, "message"),
			headLength:  private[uint64](x, "headLength"),
			tailOffset:  private[uint64](x, "tailOffset"),
			tailLen:     private[uint64](x, "tailLength"),
			messageSize: private[uint64](x, "messageLength"),
		})
	}
	return p
}

func private[T any](x *embedpy.Exchange, name string) *T {
	return (*T)(unsafe.Pointer(reflect.ValueOf(x).Elem().FieldByName(name).UnsafeAddr()))
}

func (p *fakePython) Exchange(thread int) *embedpy.Exchange { return p.halves[thread].x }
func (p *fakePython) AcquireGIL(int)                        {}
func (p *fakePython) ReleaseGIL(int)                        {}
func (p *fakePython) Forked() bool                          { return p.forked.Load() }
func (p *fakePython) Free(embedpy.Tail)                     { p.tails.Add(-1) }

func (p *fakePython) CheckSignals() (exit bool, text string) {
	if p.signal == nil {
		return false, ""
	}
	return p.signal()
}

func (p *fakePython) DropConn(conn unsafe.Pointer) {
	if conn == nil {
		return
	}
	if !(*halves)(conn).dropped.CompareAndSwap(false, true) {
		panic("a connection's Python side was dropped twice")
	}
	p.dropped.Add(1)
}

func (p *fakePython) Call(thread int, frame, body []byte) {
	h := p.halves[thread]
	x := h.x
	x.Outcome, x.Status, x.BodyBytes = 0, 0, 0
	*h.head, *h.headLength, *h.tail, *h.messageSize = nil, 0, nil, 0
	if x.Conn == nil {
		x.Conn = unsafe.Pointer(new(halves))
		p.opened.Add(1)
	}
	if (*halves)(x.Conn).dropped.Load() {
		panic("a request on a closed connection")
	}
	p.calls.Add(1)
	p.app(&call{p: p, h: h, x: x, frame: wsgi.Frame{Buf: frame, Entries: int(x.Entries)}, memory: body})
}

// call is one request as the application sees it.
type call struct {
	p      *fakePython
	h      *halves
	x      *embedpy.Exchange
	frame  wsgi.Frame
	memory []byte
	begun  func() // called after the first byte of a stream was asked for; may be nil
}

// environ is a variable of the request, or "".
func (c *call) environ(name string) string {
	value, _ := c.frame.Lookup(name)
	return string(value)
}

// body reads wsgi.input to its end; err is what read() would raise.
func (c *call) body() (body []byte, err error) {
	switch c.x.BodyKind {
	case embedpy.BodyMemory:
		return append([]byte(nil), c.memory...), nil
	case embedpy.BodyFile:
		return c.file()
	case embedpy.BodyStream:
		return c.stream()
	}
	return nil, nil
}

func (c *call) file() (body []byte, err error) {
	defer unix.Close(int(c.x.BodyFD))
	block := make([]byte, 64<<10)
	for {
		n, err := unix.Read(int(c.x.BodyFD), block)
		if n <= 0 {
			return body, err
		}
		body = append(body, block[:n]...)
	}
}

// stream is StreamedBody of embedpy/python/streams.py.
func (c *call) stream() (body []byte, err error) {
	fd := int(c.x.BodyFD)
	defer unix.Close(fd)
	if _, err := syscall.Write(fd, []byte("G")); err != nil {
		return nil, err
	}
	if c.begun != nil {
		c.begun()
	}
	packet := make([]byte, 1+64<<10)
	for {
		n, err := syscall.Read(fd, packet)
		switch {
		case n <= 0:
			return body, err
		case packet[0] == packetEnd:
			return body, nil
		case packet[0] == packetError:
			return body, fmt.Errorf("%s", packet[1:n])
		}
		body = append(body, packet[1:n]...)
	}
}

// ignore closes a body unread, as Python does when the request ends.
func (c *call) ignore() {
	if c.x.BodyKind == embedpy.BodyFile || c.x.BodyKind == embedpy.BodyStream {
		unix.Close(int(c.x.BodyFD))
	}
}

// answer sends a response whose length is known.
func (c *call) answer(status int, body string) {
	head := fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: %d\r\n", status, len(body))
	if c.x.Flags&embedpy.FlagKeepAlive != 0 {
		c.x.Outcome |= embedpy.OutcomeReuse
		if c.x.Flags&embedpy.FlagHTTP11 == 0 {
			head += "Connection: keep-alive\r\n"
		}
	} else {
		head += "Connection: close\r\n"
	}
	head += "\r\n"
	if c.x.Flags&embedpy.FlagHead != 0 {
		body = ""
	}
	c.x.Status, c.x.BodyBytes = int32(status), uint64(len(body))
	c.x.Outcome |= embedpy.OutcomeCommitted
	h := []byte(head)
	*c.h.head, *c.h.headLength = unsafe.Pointer(unsafe.SliceData(h)), uint64(len(h))
	c.send([]byte(head + body))
}

func (c *call) send(p []byte) {
	sent := 0
	for sent < len(p) {
		n, errno := socket.Send(int(c.x.FD), p[sent:])
		if errno == unix.EAGAIN {
			*c.h.tail, *c.h.tailOffset = unsafe.Pointer(unsafe.SliceData(p)), uint64(sent)
			*c.h.tailLen = uint64(len(p))
			c.p.tails.Add(1)
			return
		}
		if errno != 0 {
			c.x.Outcome = c.x.Outcome&^embedpy.OutcomeReuse | embedpy.OutcomeGone
			return
		}
		sent += n
	}
}

// raise ends the request with an application error.
func (c *call) raise(text string) {
	p := []byte(text)
	*c.h.message, *c.h.messageSize = unsafe.Pointer(unsafe.SliceData(p)), uint64(len(p))
	c.x.Outcome = c.x.Outcome&^embedpy.OutcomeReuse | embedpy.OutcomeFailed
}

// echo answers with what it got: method, target, where the body lay, its length and checksum.
func echo(c *call) {
	kind := [...]string{"none", "memory", "file", "stream"}[c.x.BodyKind]
	if strings.HasPrefix(c.environ("PATH_INFO"), "/unread") {
		c.ignore()
		c.answer(200, "unread "+kind)
		return
	}
	body, err := c.body()
	if err != nil {
		c.raise(err.Error())
		return
	}
	c.answer(200, echoed(c.environ("REQUEST_METHOD"), c.environ("RAW_URI"), kind, string(body)))
}

func echoed(method, target, kind, body string) string {
	return fmt.Sprintf("%s %s %s %d %08x\n", method, target, kind, len(body), crc32.ChecksumIEEE([]byte(body)))
}
