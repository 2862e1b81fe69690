package arbiter

import (
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestPassedSockets(t *testing.T) {
	tests := []struct {
		name, pid, fds string
		want           []string
	}{
		{"two", "77", "2", []string{"fd://3", "fd://4"}},
		{"for another process", "78", "2", nil},
		{"none", "", "", nil},
		{"zero", "77", "0", nil},
		{"no number", "77", "x", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			environ := map[string]string{"LISTEN_PID": test.pid, "LISTEN_FDS": test.fds}
			got := passedSockets(func(name string) string { return environ[name] }, 77)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestNotifySystemd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	for _, name := range []string{path, "@pyhost-test-" + filepath.Base(filepath.Dir(path)) + path[len(path)-20:]} {
		socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		notifySystemd(name, "READY=1")
		buffer := make([]byte, 100)
		n, err := socket.Read(buffer)
		if err != nil || string(buffer[:n]) != "READY=1" {
			t.Errorf("%s: heard %q, %v", name, buffer[:n], err)
		}
		_ = socket.Close()
	}
	notifySystemd("", "READY=1")
	notifySystemd(path+"-none", "READY=1")
}

func TestWatchdogPeriod(t *testing.T) {
	for _, test := range []struct {
		pid, usec string
		want      time.Duration
	}{
		{"77", "30000000", 30 * time.Second},
		{"", "30000000", 30 * time.Second}, // after an upgrade
		{"78", "30000000", 0},
		{"77", "", 0},
		{"77", "0", 0},
		{"77", "-1", 0},
		{"77", "x", 0},
		{"77", "9223372036854775807", 0},
	} {
		environ := map[string]string{"WATCHDOG_PID": test.pid, "WATCHDOG_USEC": test.usec}
		if got := watchdogPeriod(func(name string) string { return environ[name] }, 77); got != test.want {
			t.Errorf("WATCHDOG_PID=%s WATCHDOG_USEC=%s: %v, want %v", test.pid, test.usec, got, test.want)
		}
	}
}

// The watchdog hears from the loop twice in its period, at rest, while the application boots, and to the end.
func TestWatchdog(t *testing.T) {
	heard := func(h *harness) (n int) {
		for _, note := range h.notes {
			if note == "WATCHDOG=1" {
				n++
			}
		}
		h.notes = nil
		return n
	}
	h := newHarness(t, nil)
	h.watchdogPeriod = 10 * time.Second
	h.start()
	if n := heard(h); n != 1 {
		t.Errorf("heard %d times at the start", n)
	}
	h.pass(20 * time.Second)
	if n := heard(h); n != 4 {
		t.Errorf("heard %d times while booting", n)
	}
	h.bootAll()
	heard(h)
	h.pass(5 * time.Second)
	h.signal(unix.SIGTERM)
	h.pass(5 * time.Second)
	if n := heard(h); n != 2 {
		t.Errorf("heard %d times around the stop", n)
	}
}

func TestNoWatchdog(t *testing.T) {
	h := booted(t, nil)
	h.notes = nil
	h.pass(time.Hour)
	if len(h.notes) != 0 {
		t.Errorf("systemd heard %q", h.notes)
	}
}

// `systemctl status` shows how many workers there are, also between two reloads.
func TestStatusFollowsTheNumberOfWorkers(t *testing.T) {
	h := booted(t, nil)
	for _, step := range []struct {
		signal unix.Signal
		want   string
	}{
		{unix.SIGTTIN, "STATUS=3 workers"}, {unix.SIGTTOU, "STATUS=2 workers"}, {unix.SIGTTOU, "STATUS=1 worker"},
		{unix.SIGWINCH, "STATUS=0 workers"},
	} {
		h.signal(step.signal)
		if last := h.notes[len(h.notes)-1]; last != step.want {
			t.Errorf("after %v systemd heard last %q, want %q", step.signal, last, step.want)
		}
	}
}
