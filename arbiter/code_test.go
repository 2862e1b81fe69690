package arbiter

import (
	"slices"
	"testing"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

// reloading is a machine with the setting reload whose first code does not load.
func reloading(t *testing.T) *harness {
	t.Helper()
	set := func(c *config.Config) {
		c.Reload, c.ReloadEngine, c.Chdir, c.File = true, "auto", "/app", "/app/pyhost.toml"
		c.ReloadExtraFiles = []string{"/app/x.yaml", "/app/*.html"}
	}
	h := newHarness(t, set).start()
	h.reload = func() (*config.Config, error) { return testConfig(set), nil }
	h.post(serverSaid{1, wire.Event{Event: wire.EventReady}})
	first, second := h.workers[0], h.workers[1]
	first.forked()
	second.forked()
	first.failed(wire.ExitBootError, "SyntaxError")
	second.failed(wire.ExitBootError, "SyntaxError")
	h.server().end(0)
	return h
}

func TestWaitForTheFirstCode(t *testing.T) {
	h := reloading(t)
	h.wantLine("ERROR The application does not load. Waiting for a change of its code.")
	h.wantAlive(0)
	if !h.open["127.0.0.1:8000"] || len(h.servers) != 1 {
		t.Errorf("the master listens: %v; it has started %d forkservers", h.open, len(h.servers))
	}

	// A change that mends nothing.
	h.post(codeChanged{"/app/a.py"})
	h.wantLine("INFO Worker reloading: /app/a.py modified")
	h.finishWork()
	h.post(serverSaid{2, wire.Event{Event: wire.EventFailed, Code: wire.ExitBootError, Error: "NameError"}})
	h.server().end(unix.WaitStatus(wire.ExitBootError << 8))
	h.wantLine("ERROR The application does not load. Waiting for another change of its code: " +
		"Forkserver failed to boot: NameError")

	// One that does.
	h.post(codeChanged{"/app/a.py"})
	h.finishWork()
	h.bootAll()
	h.wantAlive(2)
	h.signal(unix.SIGTERM)
	for _, w := range h.alive() {
		w.exit(0)
	}
	h.server().end(0)
	h.wantEnded(0)
}

func TestStopWhileWaitingForCode(t *testing.T) {
	h := reloading(t)
	h.signal(unix.SIGTERM)
	h.post(codeChanged{"/app/a.py"}) // comes too late
	h.wantEnded(0)
	h.wantNoLine("Hang up: Master")
}

func TestWhatIsWatched(t *testing.T) {
	h := reloading(t)
	first := h.watched[0]
	if !slices.Equal(first.files, []string{"/app/pyhost.toml", "/app/x.yaml"}) || first.engine != "auto" ||
		!slices.Equal(first.patterns, []string{"/app/*.html"}) {
		t.Errorf("at first %+v is watched", first)
	}
	g := h.a.current
	h.a.watchFailed(g, `Traceback (most recent call last):
  File "<frozen importlib._bootstrap>", line 241, in x
  File "/app/a.py", line 1, in <module>
    import b
  File "b.py", line 3
    x = (
`)
	last := h.watched[len(h.watched)-1]
	if !slices.Equal(last.files, []string{"/app/a.py", "/app/b.py"}) || !slices.Equal(last.folders, []string{"/app"}) ||
		last.since != g.began {
		t.Errorf("after a failure %+v is watched", last)
	}
}

// Without the setting nothing is watched, and a change that arrives late is nobody's.
func TestNoReload(t *testing.T) {
	h := booted(t, nil)
	h.post(codeChanged{"/app/a.py"})
	h.wantNoLine("modified")
	if len(h.watched) != 0 {
		t.Errorf("watched: %+v", h.watched)
	}
}
