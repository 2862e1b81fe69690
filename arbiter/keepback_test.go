package arbiter

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"golang.org/x/sys/unix"
)

// comes reports whether a connection can be accepted within a time.
func comes(t *testing.T, listener int, within time.Duration) bool {
	t.Helper()
	polled := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
	n, err := unix.Poll(polled, int(within.Milliseconds()))
	if err != nil && err != unix.EINTR {
		t.Fatal(err)
	}
	return n > 0
}

func dialTo(t *testing.T, s *socket) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.listener.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A connection is there for the workers when its first byte is, and a silent one after a while.
func TestSilentConnectionsAreKeptBack(t *testing.T) {
	for name, c := range map[string]struct {
		options        socketOptions
		silent, speaks bool // what comes at once
	}{
		"usual":     {socketOptions{backlog: 16}, false, true},
		"reusePort": {socketOptions{backlog: 16, reusePort: true}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustListen(t, "127.0.0.1:0", c.options)
			client := dialTo(t, s)
			if comes(t, s.bySeat[0], 100*time.Millisecond) != c.silent {
				t.Errorf("a silent connection comes at once: %v", !c.silent)
			}
			if _, err := client.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if !comes(t, s.bySeat[0], time.Minute) {
				t.Error("it does not come when it speaks")
			}
		})
	}
	s := mustListen(t, "127.0.0.1:0", socketOptions{backlog: 16})
	dialTo(t, s)
	if !comes(t, s.bySeat[0], time.Minute) {
		t.Error("a silent connection never comes")
	}
}

func TestLetThrough(t *testing.T) {
	s := mustListen(t, "127.0.0.1:0", socketOptions{backlog: 16})
	kept := dialTo(t, s)
	y := &system{}
	if !y.letThrough([]int{s.bySeat[0]}) {
		t.Error("nothing was kept back")
	}
	if y.letThrough([]int{s.bySeat[0]}) {
		t.Error("it is still kept back")
	}
	if _, err := kept.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if !comes(t, s.bySeat[0], time.Minute) {
		t.Error("what was kept back does not come with its first byte")
	}
	fd, _, err := unix.Accept(s.bySeat[0])
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	dialTo(t, s)
	if !comes(t, s.bySeat[0], 500*time.Millisecond) {
		t.Error("a silent connection does not come at once")
	}
}

// A socket that was passed to pyhost stays as it came: it is there when pyhost has left.
func TestPassedSocketIsNotLetThrough(t *testing.T) {
	ours := mustListen(t, "127.0.0.1:0", socketOptions{backlog: 16})
	passed, err := unix.FcntlInt(uintptr(mustListen(t, "127.0.0.1:0", socketOptions{backlog: 16}).bySeat[0]),
		unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs := mustListen(t, fmt.Sprintf("fd://%d", passed), socketOptions{})
	both := socketSet{ours, theirs}
	if (&system{}).letThrough(both.own().all()); keptBackOn(t, ours) || !keptBackOn(t, theirs) {
		t.Errorf("kept back on its own: %v, on the passed one: %v", keptBackOn(t, ours), keptBackOn(t, theirs))
	}
	if len(both.all()) != 2 {
		t.Error("a socket is lost")
	}
}

func keptBackOn(t *testing.T, s *socket) bool {
	t.Helper()
	seconds, err := unix.GetsockoptInt(s.bySeat[0], unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT)
	if err != nil {
		t.Fatal(err)
	}
	return seconds > 0
}

// The server that stops still takes what was kept back, unless another master serves on.
func TestStopAndWhatIsKeptBack(t *testing.T) {
	h := booted(t, nil)
	h.keepsBack = true
	h.signal(unix.SIGTERM)
	for _, w := range h.wantAlive(2) {
		if !w.warned || len(w.stops) > 0 {
			t.Errorf("worker %d: warned %v, stops %v", w.boot.Age, w.warned, w.stops)
		}
	}
	h.pass(keptBackGrace)
	for _, w := range h.wantAlive(2) {
		if len(w.stops) != 1 || !w.stops[0] {
			t.Errorf("worker %d: stops %v", w.boot.Age, w.stops)
		}
	}
}

// A second TERM does not take that moment away; it ends a drain_delay no sooner.
func TestSecondTermAndWhatIsKeptBack(t *testing.T) {
	for _, delay := range []int{0, 5} {
		h := booted(t, func(c *config.Config) { c.DrainDelay = delay })
		h.keepsBack = true
		h.signal(unix.SIGTERM)
		h.pass(keptBackGrace / 2)
		h.signal(unix.SIGTERM)
		for _, w := range h.wantAlive(2) {
			if len(w.stops) > 0 {
				t.Errorf("drain_delay %d: stopped by the second signal", delay)
			}
		}
		h.pass(keptBackGrace / 2)
		for _, w := range h.wantAlive(2) {
			if len(w.stops) != 1 || !w.stops[0] {
				t.Errorf("drain_delay %d: stops %v", delay, w.stops)
			}
		}
	}
}

func TestStopBesideAnotherMaster(t *testing.T) {
	h := booted(t, nil)
	h.keepsBack = true
	h.a.upgrade.predecessor = 42
	h.signal(unix.SIGTERM)
	for _, w := range h.wantAlive(2) {
		if len(w.stops) != 1 {
			t.Errorf("worker %d: stops %v", w.boot.Age, w.stops)
		}
	}
}

// A reload that gives up an address still takes what was kept back there; what stays open need not wait.
func TestReloadAndWhatIsKeptBack(t *testing.T) {
	h := reloadable(t, nil)
	h.keepsBack = true
	reloadTo := func(bind string) {
		h.reload = func() (*config.Config, error) {
			return testConfig(func(c *config.Config) { c.Bind = []string{bind} }), nil
		}
		h.signal(unix.SIGHUP)
		h.finishWork()
		h.bootAll()
	}
	reloadTo("127.0.0.1:8000")
	h.wantLine("INFO Reloaded: 2 new workers took over after 0s.")
	reloadTo("127.0.0.1:8001")
	for _, w := range h.workers[2:4] {
		w.wantSignals()
	}
	if !h.open["127.0.0.1:8000"] || !h.open["127.0.0.1:8001"] {
		t.Errorf("open while what was kept back comes: %v", h.open)
	}
	h.pass(keptBackGrace)
	h.wantLine("INFO Reloaded: 2 new workers took over after 50ms.")
	for _, w := range h.workers[2:4] {
		w.wantSignals(unix.SIGTERM)
	}
	if h.open["127.0.0.1:8000"] {
		t.Error("the address that the configuration has no more is still open")
	}
}
