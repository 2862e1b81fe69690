package socket

import (
	"net"
	"net/netip"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pair is two unix sockets of a kind that are connected with each other.
func pair(t *testing.T, kind int) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Close(fds[0])
		unix.Close(fds[1])
	})
	return fds[0], fds[1]
}

func TestReceiveAndSend(t *testing.T) {
	a, b := pair(t, unix.SOCK_STREAM)
	buffer := make([]byte, 4)
	if n, errno := Receive(b, buffer); errno != unix.EAGAIN || n > 0 {
		t.Errorf("empty socket: %d, %v", n, errno)
	}
	if n, errno := Send(a, []byte("hello")); n != 5 || errno != 0 {
		t.Errorf("sending: %d, %v", n, errno)
	}
	for _, k := range []struct {
		read func(int, []byte) (int, unix.Errno)
		want string
	}{{Peek, "hell"}, {Receive, "hell"}, {Peek, "o"}, {Receive, "o"}} {
		if n, errno := k.read(b, buffer); errno != 0 || string(buffer[:max(n, 0)]) != k.want {
			t.Errorf("got %q, %v, want %q", buffer[:max(n, 0)], errno, k.want)
		}
	}
	unix.Shutdown(a, unix.SHUT_WR)
	if n, errno := Receive(b, buffer); n != 0 || errno != 0 {
		t.Errorf("end of stream: %d, %v", n, errno)
	}
}

// Nothing here waits, and nothing here raises SIGPIPE.
func TestFullAndBrokenSockets(t *testing.T) {
	a, b := pair(t, unix.SOCK_STREAM)
	block := make([]byte, 1<<20)
	n, errno := Send(a, block)
	for errno == 0 && n > 0 {
		n, errno = Send(a, block)
	}
	if errno != unix.EAGAIN {
		t.Errorf("full socket: %v", errno)
	}
	unix.Shutdown(b, unix.SHUT_RDWR)
	if _, errno := Send(a, block); errno != unix.EPIPE {
		t.Errorf("broken socket: %v", errno)
	}
	if _, errno := Receive(-1, block); errno != unix.EBADF {
		t.Errorf("no socket: %v", errno)
	}
	if n, errno := Send(b, nil); n > 0 || errno == unix.EFAULT {
		t.Errorf("nothing to send: %d, %v", n, errno)
	}
}

func TestAccept(t *testing.T) {
	for _, k := range []struct{ network, address, want string }{
		{"tcp4", "127.0.0.1:0", "127.0.0.1"},
		{"tcp", ":0", "127.0.0.1"}, // dual stack: an IPv4 peer in its IPv4 form
		{"unix", filepath.Join(t.TempDir(), "s"), ""},
	} {
		t.Run(k.network, func(t *testing.T) {
			l, err := net.Listen(k.network, k.address)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			fd := descriptor(t, l)
			if _, _, errno := Accept(fd); errno != unix.EAGAIN {
				t.Errorf("nobody there: %v", errno)
			}
			client, err := net.Dial(l.Addr().Network(), reachable(l.Addr()))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			accepted, peer, errno := Accept(fd)
			if errno != 0 {
				t.Fatal(errno)
			}
			defer unix.Close(accepted)
			if flags, _ := unix.FcntlInt(uintptr(accepted), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 {
				t.Error("not close-on-exec")
			}
			wantPeer(t, peer, client.LocalAddr(), k.want)
		})
	}
}

func wantPeer(t *testing.T, peer Peer, local net.Addr, address string) {
	t.Helper()
	port := ""
	if tcp, ok := local.(*net.TCPAddr); ok {
		_, port, _ = net.SplitHostPort(tcp.String())
	}
	if got := string(peer.AppendAddr(nil)); got != address {
		t.Errorf("address %q, want %q", got, address)
	}
	if got := string(peer.AppendPort([]byte(":"))); got != ":"+port {
		t.Errorf("port %q, want %q", got, ":"+port)
	}
}

// IPv6 without a network that has it.
func TestPeerOfIPv6(t *testing.T) {
	address := netip.MustParseAddr("2001:db8::1")
	var raw unix.RawSockaddrAny
	in := (*unix.RawSockaddrInet6)(unsafe.Pointer(&raw))
	in.Family, in.Addr = unix.AF_INET6, address.As16()
	copy((*[2]byte)(unsafe.Pointer(&in.Port))[:], []byte{0x01, 0xbb}) // network order
	if peer := peerOf(&raw); peer.Addr != address || peer.Port != 443 {
		t.Errorf("%+v", peer)
	}
}

// reachable is the loopback form of a wildcard address.
func reachable(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(tcp.Port)).String()
	}
	return a.String()
}

// descriptor is the listener's own, without a duplicate: net keeps it non-blocking.
func descriptor(t *testing.T, l net.Listener) (fd int) {
	t.Helper()
	raw, err := l.(interface {
		SyscallConn() (syscall.RawConn, error)
	}).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(n uintptr) { fd = int(n) })
	return fd
}

func TestEvents(t *testing.T) {
	semaphore, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK|unix.EFD_SEMAPHORE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(semaphore)
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(epoll)
	watched := unix.EpollEvent{Events: unix.EPOLLIN, Fd: 42}
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, semaphore, &watched); err != nil {
		t.Fatal(err)
	}
	events := make([]unix.EpollEvent, 2)
	if n := Poll(epoll, events); n != 0 || TakeEvent(semaphore) {
		t.Errorf("%d events before any", n)
	}
	AddEvents(semaphore, 1)
	AddEvents(semaphore, 2)
	if n := Poll(epoll, events); n != 1 || events[0].Fd != 42 {
		t.Errorf("%d events: %+v", n, events[0])
	}
	for i, want := range []bool{true, true, true, false} {
		if TakeEvent(semaphore) != want {
			t.Errorf("take %d: not %v", i, want)
		}
	}
	if n := Poll(-1, events); n != 0 {
		t.Errorf("%d events of no poller", n)
	}
}

// The request path must not cost the garbage collector anything here.
func TestNoAllocations(t *testing.T) {
	a, b := pair(t, unix.SOCK_STREAM)
	block := make([]byte, 10)
	events := make([]unix.EpollEvent, 1)
	peer := Peer{Addr: netip.MustParseAddr("::ffff:192.0.2.1"), Port: 65535}
	text := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		Send(a, block)
		Receive(b, block)
		Poll(-1, events)
		TakeEvent(-1)
		text = peer.AppendPort(peer.AppendAddr(text[:0]))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
