package arbiter

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

func mustParse(t *testing.T, bind string) config.Address {
	t.Helper()
	at, err := config.ParseBind(bind)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func mustListen(t *testing.T, bind string, options socketOptions) *socket {
	t.Helper()
	s, err := listen(mustParse(t, bind), options)
	if err != nil {
		t.Fatalf("%s: %v", bind, err)
	}
	t.Cleanup(s.close)
	return s
}

func TestListenTCP(t *testing.T) {
	tests := []struct{ bind, name, dial string }{
		{"127.0.0.1:0", "127.0.0.1", "127.0.0.1"},
		{"localhost:0", "127.0.0.1", "127.0.0.1"},
		{"[::1]:0", "::1", "::1"},
		{":0", "0.0.0.0", "127.0.0.1"},
		{"[::]:0", "::", "127.0.0.1"}, // both families, as the kernel's default is
	}
	for _, test := range tests {
		t.Run(test.bind, func(t *testing.T) {
			s := mustListen(t, test.bind, socketOptions{backlog: 16})
			port := s.listener.Port
			want := wire.Listener{
				Address: net.JoinHostPort(test.name, port), Network: "tcp", Name: test.name, Port: port,
			}
			if s.listener != want || port == "0" {
				t.Errorf("the listener is %+v, want %+v", s.listener, want)
			}
			conn, err := net.Dial("tcp", net.JoinHostPort(test.dial, s.listener.Port))
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
			flags, err := unix.FcntlInt(uintptr(s.bySeat[0]), unix.F_GETFL, 0)
			if err != nil || flags&unix.O_NONBLOCK == 0 {
				t.Errorf("the socket blocks: flags %o, %v", flags, err)
			}
			flags, err = unix.FcntlInt(uintptr(s.bySeat[0]), unix.F_GETFD, 0)
			if err != nil || flags&unix.FD_CLOEXEC == 0 {
				t.Errorf("the socket survives exec: flags %o, %v", flags, err)
			}
		})
	}
}

func TestListenInUse(t *testing.T) {
	first := mustListen(t, "127.0.0.1:0", socketOptions{backlog: 16})
	if _, err := listen(mustParse(t, first.listener.Address), socketOptions{}); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("got %v, want EADDRINUSE", err)
	}
	if _, err := listen(mustParse(t, "192.0.2.1:0"), socketOptions{}); !errors.Is(err, unix.EADDRNOTAVAIL) {
		t.Errorf("got %v, want EADDRNOTAVAIL", err)
	}
}

func TestReusePortSeats(t *testing.T) {
	s := mustListen(t, "127.0.0.1:0", socketOptions{backlog: 16, reusePort: true})
	set := socketSet{s}
	seen := map[int]bool{}
	for seat := range 3 {
		fds, err := set.fds(seat)
		if err != nil || len(fds) != 1 || seen[fds[0]] {
			t.Fatalf("seat %d has %v, %v", seat, fds, err)
		}
		seen[fds[0]] = true
		name, err := unix.Getsockname(fds[0])
		if in4, ok := name.(*unix.SockaddrInet4); !ok || fmt.Sprint(in4.Port) != s.listener.Port {
			t.Errorf("seat %d listens at %+v, %v; want port %s", seat, name, err, s.listener.Port)
		}
	}
	again, err := set.fds(1)
	if err != nil || again[0] != s.bySeat[1] {
		t.Errorf("a second worker on seat 1 has %v, %v", again, err)
	}
	dropped := s.bySeat[2]
	set.trim(map[int]bool{0: true, 1: true})
	if _, err := unix.Getsockname(dropped); !errors.Is(err, unix.EBADF) || len(s.bySeat) != 2 {
		t.Errorf("the socket of a seat that was given up is open: %v", err)
	}
}

func TestSharedSocketIsOne(t *testing.T) {
	s := mustListen(t, "127.0.0.1:0", socketOptions{backlog: 16})
	first, _ := s.fd(0)
	if second, err := s.fd(1); err != nil || second != first {
		t.Errorf("seat 1 has %d, %v; want the socket of seat 0, %d", second, err, first)
	}
	s.trim(nil)
	if _, err := unix.Getsockname(first); err != nil {
		t.Errorf("the socket that all seats share was closed: %v", err)
	}
}

func TestListenUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.sock")
	before := unix.Umask(0o022)
	defer unix.Umask(before)
	s := mustListen(t, "unix:"+path, socketOptions{backlog: 16, umask: 0o117})
	if want := (wire.Listener{Address: "unix:" + path, Network: "unix", Name: path}); s.listener != want {
		t.Errorf("the listener is %+v, want %+v", s.listener, want)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v; want 0660", info.Mode(), err)
	}
	if now := unix.Umask(0o022); now != 0o022 {
		t.Errorf("the umask was left at %o", now)
	}
	if _, err := listen(mustParse(t, "unix:"+path), socketOptions{}); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("beside a live server: %v, want EADDRINUSE", err)
	}
	s.close()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket was left behind (%v)", err)
	}
}

// A socket that cannot be given to the workers' user leaves no file behind.
func TestListenUnixWithoutTheRightToChown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.sock")
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread ends without its capability
		var none [2]unix.CapUserData
		if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0]); err != nil {
			t.Error(err)
		}
		_, err := listen(mustParse(t, "unix:"+path), socketOptions{owner: &config.Owner{UID: 1, GID: 1}})
		failed <- err
	}()
	if err := <-failed; !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "user of the workers") {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket was left behind (%v)", err)
	}
}

func TestListenUnixOverDeadServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.sock")
	dead := mustListen(t, "unix:"+path, socketOptions{backlog: 16})
	dead.unlink = nil // as after SIGKILL
	dead.close()
	mustListen(t, "unix:"+path, socketOptions{backlog: 16})
	if conn, err := net.Dial("unix", path); err != nil {
		t.Errorf("the new server cannot be reached: %v", err)
	} else {
		_ = conn.Close()
	}
}

func TestListenUnixSparesOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(mustParse(t, "unix:"+path), socketOptions{}); err == nil ||
		!strings.Contains(err.Error(), "is not a socket") {
		t.Errorf("over a file: %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "precious" {
		t.Errorf("the file has %q, %v", text, err)
	}

	own := mustListen(t, "unix:"+path+".sock", socketOptions{backlog: 16})
	if err := os.Remove(path + ".sock"); err != nil {
		t.Fatal(err)
	}
	other := mustListen(t, "unix:"+path+".sock", socketOptions{backlog: 16})
	own.close()
	if _, err := os.Lstat(path + ".sock"); err != nil {
		t.Errorf("the socket of the successor was removed: %v", err)
	}
	other.close()
}

func TestListenUnixNames(t *testing.T) {
	t.Chdir(t.TempDir())
	s := mustListen(t, "unix:@file", socketOptions{backlog: 16})
	if info, err := os.Stat("@file"); err != nil || info.Mode().Type() != os.ModeSocket {
		t.Errorf("a relative path with @ made no file: %v", err)
	}
	s.close()
	abstract := fmt.Sprintf("\x00pyhost-test-%d", os.Getpid())
	s = mustListen(t, "unix:"+abstract, socketOptions{backlog: 16})
	if conn, err := net.Dial("unix", "@"+abstract[1:]); err != nil {
		t.Errorf("the abstract socket cannot be reached: %v", err)
	} else {
		_ = conn.Close()
	}
	if s.unlink != nil || s.listener.Address != "unix:@"+abstract[1:] {
		t.Errorf("the abstract socket is %+v", s.listener)
	}
	_, err := listen(config.Address{Network: "unix", Path: "/" + strings.Repeat("x", 120)}, socketOptions{})
	if err == nil || !strings.Contains(err.Error(), "107") && !errors.Is(err, unix.ENAMETOOLONG) {
		t.Errorf("a path of 121 bytes: %v", err)
	}
}

func TestTakeOverRefuses(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	datagram, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(datagram)
	for name, test := range map[string]struct {
		fd   int
		says string
	}{
		"pipe":     {int(write.Fd()), "is no inherited socket"},
		"closed":   {1 << 20, "is no inherited socket"},
		"datagram": {datagram, "is no stream socket"},
	} {
		if _, err := listen(config.Address{Network: "fd", FD: test.fd}, socketOptions{}); err == nil ||
			!strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
}

// systemd may pass a socket that is bound and does not listen yet.
func TestTakeOverStartsListening(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	s := mustListen(t, fmt.Sprintf("fd://%d", fd), socketOptions{backlog: 16})
	conn, err := net.Dial("tcp", s.listener.Address)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

// The kernel's own words for the first are "invalid argument".
func TestLinkLocalAddressNeedsItsInterface(t *testing.T) {
	for address, want := range map[string]string{
		"[fe80::1]:0":         "a link-local address needs its network interface: [fe80::1%eth0], for example",
		"[fe80::1%nowhere]:0": `network interface "nowhere": route ip+net: no such network interface`,
	} {
		if _, err := listen(mustParse(t, address), socketOptions{backlog: 1}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", address, err, want)
		}
	}
}

func TestOverlappingAddresses(t *testing.T) {
	for _, test := range []struct {
		open, wanted string
		overlap      bool
	}{
		{"0.0.0.0:0", "[::]", true}, {"[::]:0", "0.0.0.0", true}, {"[::]:0", "127.0.0.1", true},
		{"127.0.0.1:0", "0.0.0.0", true}, {"127.0.0.1:0", "[::]", true}, {"127.0.0.1:0", "localhost", false},
		{"0.0.0.0:0", "[::1]", false}, {"127.0.0.1:0", "127.0.0.2", false},
	} {
		s := mustListen(t, test.open, socketOptions{backlog: 1})
		at := mustParse(t, test.wanted+":"+s.listener.Port)
		if got := overlapping(at, socketSet{s}, unix.EADDRINUSE) != nil; got != test.overlap {
			t.Errorf("%s beside %s: %v", at, test.open, got)
		}
		if other, err := listen(at, socketOptions{backlog: 1}); err == nil {
			other.close()
			if test.overlap {
				t.Errorf("the kernel takes %s beside %s", at, test.open)
			}
		}
	}
}
