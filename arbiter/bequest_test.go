package arbiter

import (
	"testing"

	"golang.org/x/sys/unix"
)

// A socket that a new master takes over goes on as it was made: the setting of the new one cannot change that.
func TestTakenSocketKeepsItsKind(t *testing.T) {
	for name, was := range map[string]bool{"shared port": true, "one socket": false} {
		t.Run(name, func(t *testing.T) {
			at := mustParse(t, "127.0.0.1:0")
			old := mustListen(t, "127.0.0.1:0", socketOptions{backlog: 16, reusePort: was})
			fd, err := unix.FcntlInt(uintptr(old.bySeat[0]), unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			// The worker on seat 0 may be one of those that have gone.
			seat := 0
			if was {
				seat = 1
			}
			b := &bequest{Sockets: []heirloom{{Address: at.String(), Seats: map[int]int{seat: fd}}}}
			s, err := b.take(at, socketOptions{backlog: 16, reusePort: !was})
			if err != nil || s == nil {
				t.Fatalf("%v, %v", s, err)
			}
			t.Cleanup(s.close)
			if s.reusePort != was || s.listener != old.listener {
				t.Errorf("reuse_port %v, was %v; %+v, was %+v", s.reusePort, was, s.listener, old.listener)
			}
			for index := range 3 {
				if _, err := s.fd(index); err != nil {
					t.Errorf("seat %d: %v", index, err)
				}
			}
		})
	}
}
