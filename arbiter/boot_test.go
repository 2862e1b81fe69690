package arbiter

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

func TestBoot(t *testing.T) {
	h := newHarness(t, func(c *config.Config) {
		c.Bind = []string{"127.0.0.1:8000", "unix:/run/x.sock"}
	}).start()
	h.wantAlive(0) // no worker before the forkserver is ready
	h.bootAll()
	workers := h.wantAlive(2)
	want := []string{
		"INFO Starting pyhost 0.1.0",
		"INFO Listening at: http://127.0.0.1:8000,unix:/run/x.sock (99)",
		"INFO Using worker: gthread",
	}
	info := slices.DeleteFunc(slices.Clone(h.lines), func(l string) bool { return !strings.HasPrefix(l, "INFO") })
	if !slices.Equal(info, want) {
		t.Errorf("the log says\n%s\nwant\n%s", strings.Join(info, "\n"), strings.Join(want, "\n"))
	}
	for i, w := range workers {
		boot := w.boot
		if boot.Age != i+1 || boot.Generation != 1 || boot.MasterPID != 99 || boot.Config != h.a.options.Config {
			t.Errorf("worker %d was given %+v", i, boot)
		}
		if len(boot.Listeners) != 2 || len(w.sockets) != 2 || boot.Listeners[1].Address != "unix:/run/x.sock" {
			t.Errorf("worker %d was given listeners %+v, descriptors %v", i, boot.Listeners, w.sockets)
		}
		if slot := h.a.board.Slot(boot.Slot); slot.PID() != w.pid {
			t.Errorf("slot %d has pid %d, want %d", boot.Slot, slot.PID(), w.pid)
		}
	}
	if !slices.Equal(h.notes, []string{"READY=1\nSTATUS=2 workers"}) {
		t.Errorf("systemd heard %q", h.notes)
	}
	if h.a.wake == 0 || h.a.wake > h.clock+30*time.Second {
		t.Errorf("the next look at the heartbeats is at %v, it is %v", h.a.wake, h.clock)
	}
}

func TestFirstBootFailureOfWorker(t *testing.T) {
	tests := []struct {
		name   string
		code   int
		reason string
	}{
		{"exception at import", wire.ExitBootError, "Worker failed to boot."},
		{"no application", wire.ExitAppLoad, "App failed to load."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHarness(t, nil).start()
			h.post(serverSaid{1, wire.Event{Event: wire.EventReady}})
			first, second := h.workers[0], h.workers[1]
			first.forked()
			second.forked()
			first.ready() // one that serves does not save a generation that does not come up
			second.failed(test.code, "No module named 'shop'")
			first.wantSignals(unix.SIGTERM)
			if h.open["127.0.0.1:8000"] {
				t.Error("the master still listens")
			}
			first.exit(0)
			h.server().end(0)
			h.wantEnded(test.code)
			h.wantLine("ERROR Worker (pid:103) failed to boot: No module named 'shop'")
			h.wantLine("DEBUG Worker (pid:103) exited with code " + string(rune('0'+test.code)) + ".")
			h.wantLine("INFO Shutting down: Master")
			if last := h.lines[len(h.lines)-1]; last != "ERROR Reason: "+test.reason {
				t.Errorf("the last line is %q", last)
			}
		})
	}
}

// What each worker of a generation stumbles over is explained once; the next generation explains it anew.
func TestBootFailureIsExplainedOnce(t *testing.T) {
	g, next := &generation{id: 1}, &generation{id: 2}
	if !g.isNewFailure("boom") || g.isNewFailure("boom") || !g.isNewFailure("bang") || !next.isNewFailure("boom") {
		t.Error("not once for each cause and generation")
	}
	for i := range 1000 {
		g.isNewFailure(strconv.Itoa(i))
	}
	if len(g.failures) > maxFailures {
		t.Errorf("%d causes are kept", len(g.failures))
	}

	h := newHarness(t, nil).start()
	h.post(serverSaid{1, wire.Event{Event: wire.EventReady}})
	for i, w := range h.workers {
		w.forked()
		h.post(workerSaid{i + 1, wire.Event{Event: wire.EventFailed, Code: 3, Error: "boom", Traceback: "tb\n  line\n"}})
	}
	h.wantLine("ERROR Exception in worker process (pid:102)\ntb\n  line")
	h.wantLine("ERROR Worker (pid:102) failed to boot: boom")
	h.wantLine("ERROR Worker (pid:103) failed to boot: boom")
	if slices.Contains(h.lines, "ERROR Exception in worker process (pid:103)\ntb\n  line") {
		t.Error("the traceback is there twice")
	}
}

// The cause and the exit status come on different sockets; the status first must not lose the cause.
func TestBootFailureStatusBeforeCause(t *testing.T) {
	h := newHarness(t, func(c *config.Config) { c.Workers = 1 }).start()
	h.post(serverSaid{1, wire.Event{Event: wire.EventReady}})
	w := h.workers[0]
	w.forked()
	h.post(serverSaid{1, wire.Event{Event: wire.EventExited, PID: w.pid, Status: int(exited(3))}})
	if h.a.phase != serving {
		t.Fatal("the end was decided before the worker's socket was read to its end")
	}
	h.post(workerSaid{1, wire.Event{Event: wire.EventFailed, Code: 3, Error: "boom"}})
	h.post(workerHungUp{1})
	h.server().end(0)
	h.wantEnded(wire.ExitBootError)
	h.wantLine("ERROR Worker (pid:102) failed to boot: boom")
}

// A process that the application left behind may hold the worker's socket open: the master does not wait for it.
func TestExitWithoutHangUp(t *testing.T) {
	h := booted(t, nil)
	w := h.workers[0]
	h.post(serverSaid{1, wire.Event{Event: wire.EventExited, PID: w.pid, Status: int(killed(unix.SIGSEGV))}})
	h.pass(settleGrace)
	h.wantLine("WARNING Worker (pid:102) was sent SIGSEGV!")
	h.wantAlive(2)
}

func TestFirstBootFailureOfForkserver(t *testing.T) {
	tests := []struct {
		name    string
		message *wire.Event
		status  unix.WaitStatus
		code    int
		line    string
		reason  string
	}{
		{"preload raises", &wire.Event{Code: 3, Error: "boom", Traceback: "Traceback\n  line"}, exited(3), 3,
			"ERROR Forkserver (pid:101) failed to boot: boom\nTraceback\n  line", "Worker failed to boot."},
		{"preload finds no application", &wire.Event{Code: 4, Error: "no attribute 'app'"}, exited(4), 4,
			"ERROR Forkserver (pid:101) failed to boot: no attribute 'app'", "App failed to load."},
		{"Python does not start", &wire.Event{Code: 1, Error: "no encodings"}, exited(1), 1,
			"ERROR Forkserver (pid:101) failed to boot: no encodings", "Forkserver failed to boot."},
		{"silent death", nil, killed(unix.SIGKILL), 1,
			"ERROR Forkserver (pid:101) was sent SIGKILL!", "Forkserver failed to boot."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHarness(t, nil).start()
			if test.message != nil {
				test.message.Event = wire.EventFailed
				h.post(serverSaid{1, *test.message})
			}
			h.server().end(test.status)
			h.wantEnded(test.code)
			h.wantLine(test.line)
			h.wantLine("ERROR Reason: " + test.reason)
		})
	}
}

func TestForkserverCannotBeStarted(t *testing.T) {
	h := newHarness(t, nil)
	h.launchError = errors.New("resource temporarily unavailable")
	h.start()
	h.wantEnded(exitError)
	h.wantLine("ERROR Reason: Forkserver failed to boot.")
}

// An IPv6 wildcard takes IPv4 connections, too: who adds it to 0.0.0.0 is not sent looking for another program.
func TestAddressesThatOverlap(t *testing.T) {
	h := newHarness(t, func(c *config.Config) { c.Bind = []string{"0.0.0.0:8000", "[::]:8000"} })
	h.listenErrors["[::]:8000"] = errInUse
	h.start()
	h.wantEnded(exitError)
	h.wantLine("ERROR Can't connect to [::]:8000: this server itself listens at 0.0.0.0:8000, which overlaps with it; " +
		"leave one of them out")
	if strings.Contains(h.log(), "it is tried") {
		t.Error("another try cannot help")
	}
}

func TestConnectionInUse(t *testing.T) {
	tests := []struct {
		name  string
		freed int // tries that fail before the address is free
		ended bool
	}{
		{"freed in time", 4, false},
		{"not freed", 5, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHarness(t, nil)
			h.listenErrors["127.0.0.1:8000"] = errInUse
			h.start()
			began := h.clock
			for try := 1; try < bindTries; try++ {
				if try == test.freed {
					delete(h.listenErrors, "127.0.0.1:8000")
				}
				h.pass(bindPause)
			}
			told := strings.Count(h.log(), "WARNING Connection in use: 127.0.0.1:8000; it is tried for 4s")
			if told != 1 {
				t.Errorf("told %d times", told)
			}
			count := strings.Count(h.log(), " Connection in use: 127.0.0.1:8000")
			if count != test.freed {
				t.Errorf("%d tries failed, want %d", count, test.freed)
			}
			if h.clock-began != 4*time.Second {
				t.Errorf("it took %v", h.clock-began)
			}
			if test.ended {
				h.wantEnded(exitError)
				h.wantLine("ERROR Can't connect to 127.0.0.1:8000: another program listens there; stop it, or choose " +
					"another address with --bind")
				return
			}
			h.wantLine("INFO Listening at: http://127.0.0.1:8000 (99)")
		})
	}
}

func TestBindFailures(t *testing.T) {
	t.Run("no right", func(t *testing.T) {
		h := newHarness(t, func(c *config.Config) { c.Bind = []string{"127.0.0.1:8000", "127.0.0.1:80"} })
		h.listenErrors["127.0.0.1:80"] = unix.EACCES
		h.start()
		h.wantEnded(exitError)
		h.wantLine("ERROR connection to 127.0.0.1:80 failed: permission denied")
		h.wantLine("ERROR Can't connect to 127.0.0.1:80: ports below 1024 are root's; choose another one, give pyhost " +
			"CAP_NET_BIND_SERVICE, or let systemd open it")
		if h.open["127.0.0.1:8000"] {
			t.Error("the first socket was left open")
		}
	})
	t.Run("stopped while it waits", func(t *testing.T) {
		h := newHarness(t, nil)
		h.listenErrors["127.0.0.1:8000"] = errInUse
		h.start()
		h.signal(unix.SIGTERM)
		h.wantEnded(exitOK)
	})
	t.Run("port 0 twice", func(t *testing.T) {
		h := newHarness(t, func(c *config.Config) { c.Bind = []string{"http://127.0.0.1:0", "https://127.0.0.1:0"} })
		addresses, err := h.a.binder.parse(h.a.options.Config)
		if err != nil || len(addresses) != 2 {
			t.Errorf("got %v, %v", addresses, err)
		}
	})
	t.Run("given twice", func(t *testing.T) {
		h := newHarness(t, func(c *config.Config) { c.Bind = []string{":8000", "0.0.0.0"} })
		if err := h.a.start(); err == nil || !strings.Contains(err.Error(), "0.0.0.0:8000 is given twice") {
			t.Errorf("got %v", err)
		}
	})
}
