package socket

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// What comes out is the same open file, close-on-exec, and the sender still has its own.
func TestRights(t *testing.T) {
	a, b := pair(t, unix.SOCK_SEQPACKET)
	for _, name := range []string{"first", "second"} {
		file, err := os.Create(t.TempDir() + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		sent := []int{int(file.Fd()), a}[:map[string]int{"first": 1, "second": 2}[name]]
		if errno := SendRights(a, []byte(name), sent...); errno != 0 {
			t.Fatal(errno)
		}
		p := make([]byte, 100)
		n, fds, count, errno := ReceiveRights(b, p)
		if errno != 0 || string(p[:n]) != name || count != len(sent) {
			t.Fatalf("%q with %d descriptors, errno %v; want %q with %d", p[:n], count, errno, name, len(sent))
		}
		for i, fd := range fds[:count] {
			var ours, theirs unix.Stat_t
			if unix.Fstat(sent[i], &ours) != nil || unix.Fstat(fd, &theirs) != nil || ours.Ino != theirs.Ino {
				t.Errorf("descriptor %d is another file", i)
			}
			if flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 {
				t.Errorf("descriptor %d is inherited by programs", i)
			}
			unix.Close(fd)
		}
	}
}

func TestRightsRefused(t *testing.T) {
	a, b := pair(t, unix.SOCK_SEQPACKET)
	p := make([]byte, 100)
	if _, _, _, errno := ReceiveRights(b, p); errno != unix.EAGAIN {
		t.Errorf("of an empty queue: %v", errno)
	}
	if errno := SendRights(a, []byte("x"), 1<<20); errno != unix.EBADF {
		t.Errorf("a descriptor that is none: %v", errno)
	}
	if _, errno := Send(a, []byte("bare")); errno != 0 {
		t.Fatal(errno)
	}
	if n, _, count, errno := ReceiveRights(b, p); n != 4 || count != 0 || errno != 0 {
		t.Errorf("without descriptors: %d bytes, %d descriptors, %v", n, count, errno)
	}
	unix.Close(a)
	if errno := SendRights(b, []byte("x"), b); errno != unix.EPIPE {
		t.Errorf("to nobody: %v", errno)
	}
}
