package arbiter

import (
	"net"
	"testing"
)

// The kernel's count is that of connections which nobody has accepted.
func TestBacklog(t *testing.T) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	file, err := listener.File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for waiting := range 3 {
		if got := (&system{}).waitingOn([]int{int(file.Fd()), 0}); got != waiting {
			t.Errorf("%d connections wait, and %d are counted", waiting, got)
		}
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
}
