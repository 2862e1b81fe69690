package workers

import (
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/workers/socket"
)

// browser is a request as a browser sends it through nginx.
const browser = "GET /path/to/page?query=1 HTTP/1.1\r\nHost: www.example.com\r\nX-Forwarded-For: 192.0.2.1\r\n" +
	"X-Forwarded-Proto: https\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html\r\n" +
	"Accept-Language: en\r\nAccept-Encoding: gzip, deflate\r\nCookie: a=b; c=d\r\nX-Own: 1\r\n\r\n"

var ok = []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

// answerOK is an application that costs nothing.
func answerOK(p *fakePython) {
	h := p.halves[0]
	h.x.Outcome, h.x.Status = embedpy.OutcomeReuse|embedpy.OutcomeCommitted, 200
	socket.Send(int(h.x.FD), ok)
}

// cheap is fakePython without what it allocates for tests.
type cheap struct{ *fakePython }

func (c cheap) Call(int, []byte, []byte) { answerOK(c.fakePython) }

// A request on a kept connection allocates nothing, from the event to the connection's next rest.
func TestNoAllocationPerRequest(t *testing.T) {
	for name, request := range map[string]string{
		"get":       browser,
		"body":      post("/up", pattern(1000)),
		"chunked":   chunked("/up", pattern(1000), 100),
		"pipelined": browser + browser,
	} {
		t.Run(name, func(t *testing.T) {
			s := prepare(t, options{tune: func(w *worker) { w.python = cheap{w.python.(*fakePython)} }})
			c, client, thread := s.alone()
			thread.read(c) // registers it
			raw, in := []byte(request), make([]byte, 1024)
			fd := descriptor(t, client)
			allocations := testing.AllocsPerRun(100, func() {
				socket.Send(fd, raw)
				for answers := 0; answers == 0; answers, _ = socket.Receive(fd, in) {
					n, _ := unix.EpollWait(s.w.poller.fd, thread.events, 1000)
					thread.handle(n)
				}
			})
			if allocations != 0 {
				t.Errorf("%v allocations per request", allocations)
			}
		})
	}
}

// A connection that ends with its first response, as a proxy without keep-alive makes them, leaves no garbage either,
// whether its request is there when it is accepted or comes later.
func TestNoAllocationPerConnection(t *testing.T) {
	for name, late := range map[string]bool{"at once": false, "later": true} {
		t.Run(name, func(t *testing.T) {
			s := prepare(t, options{keepAlive: -1, tune: func(w *worker) {
				w.python = closing{cheap{w.python.(*fakePython)}}
			}})
			if err := s.w.startAccepting(); err != nil {
				t.Fatal(err)
			}
			thread, in := newThread(s.w, 0), make([]byte, 1024)
			address := s.address.(*net.TCPAddr)
			to := &unix.SockaddrInet4{Port: address.Port, Addr: [4]byte{127, 0, 0, 1}}
			request := []byte(browser)
			handle := func() {
				n, _ := unix.EpollWait(s.w.poller.fd, thread.events, 1000)
				thread.handle(n)
			}
			allocations := testing.AllocsPerRun(100, func() {
				fd, _ := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
				unix.Connect(fd, to)
				if late {
					handle()
				}
				socket.Send(fd, request)
				for answers := 0; answers == 0; answers, _ = socket.Receive(fd, in) {
					handle()
				}
				unix.Close(fd)
			})
			if allocations != 0 {
				t.Errorf("%v allocations per connection", allocations)
			}
		})
	}
}

// closing is cheap without keep-alive.
type closing struct{ cheap }

func (c closing) Call(int, []byte, []byte) {
	answerOK(c.fakePython)
	c.halves[0].x.Outcome &^= embedpy.OutcomeReuse
}

// descriptor is the client's own.
func descriptor(t *testing.T, c *client) (fd int) {
	t.Helper()
	raw, err := c.Conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(n uintptr) { fd = int(n) })
	return fd
}

// A connection that waits behind a busy worker and goes to another one leaves no garbage in either.
func TestNoAllocationPerHandover(t *testing.T) {
	receive, send := queuePair(t)
	s := prepare(t, options{tune: with(receive, send)})
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[1])
	c, _ := s.w.table.add(fds[0])
	c.facts.RemoteAddr, c.facts.RemotePort = []byte("192.0.2.1"), []byte("12345")
	allocations := testing.AllocsPerRun(100, func() {
		c.hold(message{})
		s.w.ready.push(c)
		if !s.w.passOn() {
			t.Fatal("it was not given away")
		}
		if c = s.w.handover.take(); c == nil {
			t.Fatal("it was not taken")
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations per connection", allocations)
	}
	if string(c.facts.RemoteAddr) != "192.0.2.1" || string(c.facts.RemotePort) != "12345" {
		t.Errorf("the client is %s port %s now", c.facts.RemoteAddr, c.facts.RemotePort)
	}
	s.w.close(c)
}
