package workers

import (
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/wire"
)

// master is the other end of the worker's control socket, which the worker obeys until it ends.
func master(t *testing.T, s *server) *net.UnixConn {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	control, err := openControl(fds[0])
	if err != nil {
		t.Fatal(err)
	}
	far := connOf(t, fds[1]).(*net.UnixConn)
	obeyed := make(chan bool)
	go func() {
		s.w.obeyControl(control)
		control.Close()
		close(obeyed)
	}()
	t.Cleanup(func() {
		far.Close()
		<-obeyed
	})
	return far
}

func TestMasterSaysStop(t *testing.T) {
	s := start(t, options{})
	if err := wire.Send(master(t, s), &wire.Command{Command: "stop", Graceful: true}); err != nil {
		t.Fatal(err)
	}
	<-s.finished
	if s.w.quick.Load() {
		t.Error("a graceful stop became a quick one")
	}
}

// A quick stop waits for nobody.
func TestMasterSaysStopQuickly(t *testing.T) {
	s := start(t, options{})
	c := s.dial().send("GET /half")
	eventually(t, "half a request is there", func() bool { return s.waiting() == 1 })
	if err := wire.Send(master(t, s), &wire.Command{Command: "stop"}); err != nil {
		t.Fatal(err)
	}
	<-s.finished
	if n := s.w.table.count.Load(); n != 1 {
		t.Errorf("%d connections: the threads waited", n)
	}
	c.Close()
	eventually(t, "the connection is closed", func() bool { return s.w.table.count.Load() == 0 })
}

func TestMasterIsGone(t *testing.T) {
	s := start(t, options{})
	master(t, s).Close()
	<-s.finished
	s.wantLog("[INFO] Parent changed, shutting down: worker ")
	if state := s.w.slot.State(); state != scoreboard.Draining {
		t.Errorf("state %v", state)
	}
}

func TestControlSocketIsASocket(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openControl(fd); err == nil {
		t.Error("/dev/null became a control socket")
	}
}
