package arbiter

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"golang.org/x/sys/unix"
)

var writeMatrix = flag.Bool("write", false, "write testdata/signals.txt anew")

// matrixStates are the states of a master that a signal can meet, each on a machine of its own.
var matrixStates = []struct {
	name string
	make func(t *testing.T) *harness
}{
	{"not bound", func(t *testing.T) *harness {
		h := newHarness(t, nil)
		if err := h.a.start(); err != nil {
			t.Fatal(err)
		}
		return h
	}},
	{"address in use", func(t *testing.T) *harness {
		h := newHarness(t, nil)
		h.listenErrors["127.0.0.1:8000"] = unix.EADDRINUSE
		return h.start()
	}},
	{"booting", func(t *testing.T) *harness { return newHarness(t, nil).start() }},
	{"serving", func(t *testing.T) *harness { return booted(t, nil) }},
	{"reload reads", func(t *testing.T) *harness { return reloadingMachine(t, nil) }},
	{"reload boots", func(t *testing.T) *harness {
		h := reloadingMachine(t, nil)
		h.finishWork()
		return h
	}},
	{"reload rolls", func(t *testing.T) *harness {
		rolling := func(c *config.Config) { c.ReloadStrategy = "rolling" }
		h := reloadingMachine(t, rolling)
		h.finishWork()
		for range 2 { // the forkserver, and the first worker
			h.bootAll()
		}
		return h
	}},
	{"old workers drain", func(t *testing.T) *harness {
		h := reloadingMachine(t, nil)
		h.finishWork()
		h.bootAll()
		return h
	}},
	{"new master beside", func(t *testing.T) *harness {
		h := booted(t, nil)
		h.signal(unix.SIGUSR2)
		return h
	}},
	{"old master beside", func(t *testing.T) *harness {
		h := newHarness(t, nil)
		h.parent = 98
		h.start()
		h.bootAll()
		return h
	}},
	{"without workers", func(t *testing.T) *harness {
		h := booted(t, nil)
		h.signal(unix.SIGUSR2)
		h.signal(unix.SIGWINCH)
		for _, w := range h.alive() {
			w.exit(0)
		}
		return h
	}},
	{"drain delay", func(t *testing.T) *harness {
		h := booted(t, func(c *config.Config) { c.DrainDelay = 10 })
		h.signal(unix.SIGTERM)
		return h
	}},
	{"stopping", func(t *testing.T) *harness {
		h := booted(t, nil)
		h.signal(unix.SIGTERM)
		return h
	}},
	{"process 1 attends", func(t *testing.T) *harness {
		h := booted(t, nil)
		h.a.pid = 1
		h.signal(unix.SIGUSR2)
		h.signal(unix.SIGQUIT)
		h.endAll()
		return h
	}},
}

func reloadingMachine(t *testing.T, change func(*config.Config)) *harness {
	h := booted(t, change)
	h.reload = func() (*config.Config, error) { return testConfig(change), nil }
	h.signal(unix.SIGHUP)
	return h
}

// describe is the state of the machine in a few words: the phase, and the workers by what they have been told.
func (h *harness) describe() string {
	phases := map[phase]string{
		starting: "starting", binding: "binding", serving: "serving", stopping: "stopping", attending: "attending",
		ended: "ended",
	}
	kept, told, quick := 0, 0, 0
	for _, w := range h.alive() {
		switch {
		case len(w.stops) == 0:
			kept++
		case w.stops[len(w.stops)-1]:
			told++
		default:
			quick++
		}
	}
	return fmt.Sprintf("%s, %d workers kept, %d told to leave, %d at once", phases[h.a.phase], kept, told, quick)
}

// TestEverySignalInEveryState: each has one outcome, which testdata/signals.txt tells, and after each the master comes
// to a good end: it serves with all its workers, or leaves nothing behind.
func TestEverySignalInEveryState(t *testing.T) {
	signals := []unix.Signal{
		unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH, unix.SIGTTIN,
		unix.SIGTTOU,
	}
	var table strings.Builder
	for _, state := range matrixStates {
		fmt.Fprintf(&table, "%s: %s\n", state.name, state.make(t).describe())
		for _, s := range signals {
			h := state.make(t)
			if h.reload == nil {
				h.reload = func() (*config.Config, error) { return testConfig(nil), nil }
			}
			h.lines, h.notes = nil, nil
			h.signal(s)
			fmt.Fprintf(&table, "  %-4s -> %s\n", signalNames[s], h.describe())
			for _, line := range h.lines {
				if line != "INFO Handling signal: "+signalNames[s] {
					fmt.Fprintf(&table, "          %s\n", strings.TrimSpace(line))
				}
			}
			for _, note := range h.notes {
				fmt.Fprintf(&table, "          systemd: %s\n", strings.ReplaceAll(note, "\n", " "))
			}
			h.wantGoodEnd(state.name, s)
		}
	}
	const path = "testdata/signals.txt"
	if *writeMatrix {
		if err := os.WriteFile(path, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := table.String(); got != string(want) {
		t.Errorf("%s is not what happens; go test ./arbiter -run EverySignal -write, and read it. Now:\n%s", path, got)
	}
}

// wantGoodEnd lets everything go its way, and then stops what serves.
func (h *harness) wantGoodEnd(state string, s unix.Signal) {
	h.t.Helper()
	delete(h.listenErrors, "127.0.0.1:8000")
	h.settle()
	if h.a.phase == serving {
		if got := len(h.alive()); got != h.a.current.size() || !h.a.current.ready() {
			h.t.Errorf("%s, %v: %d workers serve of %d; log:\n%s", state, s, got, h.a.current.size(), h.log())
		}
		h.signal(unix.SIGTERM)
		h.settle()
	}
	if h.a.phase == attending {
		h.masterEnds(h.upgrades[0], exited(0))
	}
	if h.a.phase != ended {
		h.t.Errorf("%s, %v: no end, but %s; log:\n%s", state, s, h.describe(), h.log())
	}
}

// settle plays the rest of the machine for a minute: what is asked for is done.
func (h *harness) settle() {
	h.t.Helper()
	for range 60 {
		for len(h.work) > 0 {
			h.finishWork()
		}
		h.bootAll()
		for _, w := range h.alive() {
			if len(w.stops) > 0 && w.pid != 0 {
				w.exit(0)
			}
			w.beat()
		}
		for _, server := range h.servers {
			if (server.told || len(server.signals) > 0) && h.running(server.processID) {
				server.end(0)
			}
		}
		h.pass(time.Second)
	}
}
