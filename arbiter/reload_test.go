package arbiter

import (
	"slices"
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

// reloadable is a booted machine whose next configurations come from change.
func reloadable(t *testing.T, change func(*config.Config)) *harness {
	t.Helper()
	h := booted(t, func(c *config.Config) { c.Timeout = 0 })
	h.pass(time.Minute)
	h.reload = func() (*config.Config, error) {
		return testConfig(func(c *config.Config) {
			c.Timeout = 0
			if change != nil {
				change(c)
			}
		}), nil
	}
	return h
}

func generationsOf(workers []*fakeWorker) []int {
	var ids []int
	for _, w := range workers {
		ids = append(ids, w.boot.Generation)
	}
	return ids
}

func TestReload(t *testing.T) {
	h := reloadable(t, func(c *config.Config) { c.Workers = 3 })
	old := h.wantAlive(2)
	h.signal(unix.SIGHUP)
	h.wantLine("INFO Handling signal: hup")
	h.wantLine("INFO Hang up: Master")
	h.finishWork()
	h.post(serverSaid{2, wire.Event{Event: wire.EventReady}})
	fresh := h.wantAlive(5)[2:]
	for i, w := range fresh {
		w.forked()
		w.ready()
		for _, before := range old {
			if i < 2 {
				before.wantSignals() // none stops before all new ones are ready
			} else {
				before.wantSignals(unix.SIGTERM)
			}
		}
	}
	if !h.servers[0].told || h.servers[1].told {
		t.Error("not the old forkserver was told to exit, or not it alone")
	}
	h.wantLine("INFO Reloaded: 3 new workers took over after 0s.")
	h.servers[0].end(exited(0))
	for _, w := range old {
		w.exit(exited(0)) // reaped by the master: their forkserver has gone
	}
	if ids := generationsOf(h.wantAlive(3)); !slices.Equal(ids, []int{2, 2, 2}) {
		t.Errorf("generations %v", ids)
	}
	if !h.open["127.0.0.1:8000"] {
		t.Error("the socket that both have was closed")
	}
	if tail := h.notes[1:]; !slices.Equal(tail, []string{
		"RELOADING=1\nMONOTONIC_USEC=1060000000", "READY=1\nSTATUS=3 workers",
	}) {
		t.Errorf("systemd heard %q", tail)
	}
	h.wantNoLine("ERROR")
}

// wantKept checks that a failed reload has changed nothing.
func (h *harness) wantKept(cause string) {
	h.t.Helper()
	h.wantLine("ERROR Reload failed, the workers of before go on serving: " + cause)
	if h.a.next != nil || h.a.phase != serving {
		h.t.Fatalf("the reload goes on, or the master stops; log:\n%s", h.log())
	}
	for _, w := range h.workers[:2] {
		w.wantSignals()
		if len(w.stops) != 0 {
			h.t.Errorf("worker %d was told to stop", w.boot.Age)
		}
	}
	if !h.open["127.0.0.1:8000"] {
		h.t.Error("the old socket was closed")
	}
	if last := h.notes[len(h.notes)-1]; last != "READY=1\nSTATUS=2 workers" {
		h.t.Errorf("systemd heard %q last", last)
	}
}

func TestReloadWithBrokenConfig(t *testing.T) {
	h := reloadable(t, nil)
	h.reload = func() (*config.Config, error) { return nil, errBroken }
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.wantKept("line 3: syntax error")
	if len(h.servers) != 1 {
		t.Error("a forkserver was started for it")
	}
}

func TestReloadWithTooManyWorkers(t *testing.T) {
	h := reloadable(t, func(c *config.Config) { c.Workers = MaxWorkers + 1 })
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.wantKept("invalid value for workers: 513; one master runs at most 512")
}

func TestReloadWithBrokenApp(t *testing.T) {
	tests := []struct {
		name  string
		fail  func(h *harness)
		cause string
	}{
		{"worker fails to import", func(h *harness) {
			h.post(serverSaid{2, wire.Event{Event: wire.EventReady}})
			h.workers[2].forked()
			h.workers[3].forked()
			h.workers[2].failed(wire.ExitBootError, "boom")
			h.workers[3].failed(wire.ExitBootError, "boom")
		}, "worker failed to boot: boom"},
		{"one serves, one crashes", func(h *harness) {
			h.post(serverSaid{2, wire.Event{Event: wire.EventReady}})
			h.workers[2].forked()
			h.workers[2].ready()
			h.workers[3].forked()
			h.workers[3].exit(killed(unix.SIGSEGV))
			h.workers[2].wantSignals(unix.SIGTERM)
			h.workers[2].exit(0)
		}, "worker (pid:106) was sent SIGSEGV!"},
		{"preload fails", func(h *harness) {
			h.post(serverSaid{2, wire.Event{Event: wire.EventFailed, Code: 3, Error: "boom"}})
			h.servers[1].end(exited(3))
		}, "Forkserver failed to boot: boom"},
		{"forkserver dies", func(h *harness) { h.servers[1].end(killed(unix.SIGKILL)) },
			"Forkserver (pid:104) was sent SIGKILL!"},
		{"fork fails", func(h *harness) {
			h.post(serverSaid{2, wire.Event{Event: wire.EventReady}})
			h.post(serverSaid{2, wire.Event{Event: wire.EventForkFailed, Age: 3, Error: "ENOMEM"}})
		}, "a worker could not be forked: ENOMEM"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := reloadable(t, nil)
			h.signal(unix.SIGHUP)
			h.finishWork()
			test.fail(h)
			h.wantKept(test.cause)
			// What has been mended is taken up by the next one.
			h.signal(unix.SIGHUP)
			h.finishWork()
			h.bootAll()
			h.wantLine("INFO Reloaded: 2 new workers took over after 0s.")
		})
	}
}

func TestReloadDuringReload(t *testing.T) {
	h := reloadable(t, nil)
	h.signal(unix.SIGHUP)
	h.signal(unix.SIGHUP) // while the configuration is read
	h.finishWork()
	h.signal(unix.SIGHUP) // while the new workers boot
	if len(h.servers) != 2 || len(h.work) != 0 {
		t.Fatal("two reloads run at once")
	}
	h.bootAll()
	if len(h.work) != 1 {
		t.Fatalf("%d reloads follow, want 1; log:\n%s", len(h.work), h.log())
	}
	h.finishWork()
	h.bootAll()
	if len(h.work) != 0 || h.a.current.id != 3 {
		t.Errorf("generation %d, %d reloads wait", h.a.current.id, len(h.work))
	}
}

func TestReloadQueuedBehindFailure(t *testing.T) {
	h := reloadable(t, nil)
	good := h.reload
	h.reload = func() (*config.Config, error) { return nil, errBroken }
	h.signal(unix.SIGHUP)
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.reload = good
	h.finishWork()
	h.bootAll()
	h.wantLine("INFO Reloaded: 2 new workers took over after 0s.")
}

// An import that hangs must not keep the reload from coming that mends it.
func TestReloadHangs(t *testing.T) {
	h := reloadable(t, nil)
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.pass(reloadPatience * 2)
	if h.a.next == nil {
		t.Fatal("a slow boot was given up though nothing waits for it")
	}
	h.signal(unix.SIGHUP)
	h.wantLine("ERROR Reload failed, the workers of before go on serving: it has not booted within 1m0s, " +
		"and another reload waits")
	h.workers[0].wantSignals()
	h.servers[1].end(killed(unix.SIGKILL))
	h.finishWork()
	h.bootAll()
	h.wantLine("INFO Reloaded: 2 new workers took over after 0s.")
}

func TestStopDuringReload(t *testing.T) {
	t.Run("while it reads", func(t *testing.T) {
		h := reloadable(t, nil)
		h.signal(unix.SIGHUP)
		h.signal(unix.SIGTERM)
		h.finishWork()
		if len(h.servers) != 1 {
			t.Error("the reload went on")
		}
	})
	t.Run("while it boots", func(t *testing.T) {
		h := reloadable(t, nil)
		h.signal(unix.SIGHUP)
		h.signal(unix.SIGHUP)
		h.finishWork()
		h.post(serverSaid{2, wire.Event{Event: wire.EventReady}})
		h.workers[2].forked()
		h.workers[2].ready()
		h.workers[3].forked()
		h.signal(unix.SIGTERM)
		h.workers[0].wantSignals(unix.SIGTERM)
		h.workers[2].wantSignals(unix.SIGTERM)
		h.workers[3].wantSignals(unix.SIGTERM)
		for _, s := range h.servers {
			s.end(exited(0))
		}
		for _, w := range h.workers {
			w.exit(exited(0))
		}
		h.wantEnded(exitOK)
		if len(h.work) != 0 {
			t.Error("the queued reload began")
		}
	})
	t.Run("after it", func(t *testing.T) {
		h := reloadable(t, nil)
		h.signal(unix.SIGHUP)
		h.finishWork()
		h.bootAll()
		h.servers[0].end(exited(0))
		h.signal(unix.SIGINT)
		h.workers[0].wantSignals(unix.SIGTERM, unix.SIGQUIT) // the quick stop is for the old ones, too
	})
}

// While a reload boots, the serving generation is looked after as ever.
func TestSupervisionDuringReload(t *testing.T) {
	h := reloadable(t, nil)
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.workers[0].exit(killed(unix.SIGSEGV))
	if replacement := h.workers[2]; replacement.boot.Generation != 1 {
		t.Errorf("the replacement is of generation %d", replacement.boot.Generation)
	}
	h.signal(unix.SIGTTIN)
	h.bootAll()
	fresh := 0
	for _, w := range h.workers {
		if w.boot.Generation == 2 {
			fresh++
		}
	}
	if fresh != 3 {
		t.Errorf("the new generation has %d workers, want 2 and the one of SIGTTIN", fresh)
	}
}

func TestReloadChangesBinds(t *testing.T) {
	h := reloadable(t, func(c *config.Config) { c.Bind = []string{"unix:/run/y.sock"} })
	h.signal(unix.SIGHUP)
	h.finishWork()
	if !h.open["127.0.0.1:8000"] || !h.open["unix:/run/y.sock"] {
		t.Errorf("open are %v, want both", h.open)
	}
	h.wantLine("INFO Listening at: unix:/run/y.sock (99)")
	h.bootAll()
	if h.open["127.0.0.1:8000"] || !h.open["unix:/run/y.sock"] {
		t.Errorf("open are %v, want the new one alone", h.open)
	}
}

func TestReloadCannotBind(t *testing.T) {
	h := reloadable(t, func(c *config.Config) {
		c.Bind = []string{"127.0.0.1:8000", "unix:/run/y.sock", "127.0.0.1:9000"}
	})
	h.listenErrors["127.0.0.1:9000"] = errInUse
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.wantKept("opening 127.0.0.1:9000: bind: address already in use: another program listens there; stop it, or choose " +
		"another address with --bind")
	if h.open["unix:/run/y.sock"] {
		t.Error("the other new socket was left open")
	}
}

// The address in use may be the server's own: new addresses are opened before old ones are closed.
func TestReloadCannotWidenAnAddress(t *testing.T) {
	h := reloadable(t, func(c *config.Config) { c.Bind = []string{"0.0.0.0:8000"} })
	h.listenErrors["0.0.0.0:8000"] = errInUse
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.wantKept("opening 0.0.0.0:8000: bind: address already in use: this server itself listens at 127.0.0.1:8000 until " +
		"the reload is done; restart it, or choose another port")
}

// Two addresses of one configuration may exclude each other, whatever the server did before.
func TestReloadOfOverlappingAddresses(t *testing.T) {
	h := reloadable(t, func(c *config.Config) { c.Bind = []string{"127.0.0.1:8000", "0.0.0.0:8000"} })
	h.listenErrors["0.0.0.0:8000"] = errInUse
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.wantKept("opening 0.0.0.0:8000: bind: address already in use: this server itself listens at 127.0.0.1:8000, which " +
		"overlaps with it; leave one of them out")
}

func TestFailedReloadClosesNewSockets(t *testing.T) {
	h := reloadable(t, func(c *config.Config) { c.Bind = []string{"127.0.0.1:8000", "unix:/run/y.sock"} })
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.servers[1].end(exited(1))
	h.wantKept("Forkserver (pid:104) exited with code 1")
	if h.open["unix:/run/y.sock"] {
		t.Error("the new socket was left open")
	}
}

// Finding libpython may run an interpreter, which os/exec waits for: the master must not reap it meanwhile.
func TestReloadReaderMayHaveChildren(t *testing.T) {
	h := reloadable(t, nil)
	h.servers[0].end(exited(0)) // its workers are the master's children now
	h.bootAll()
	h.signal(unix.SIGHUP)
	foreign := h.newPID()
	h.children[foreign] = &fakeProcess{ended: true}
	h.workers[0].exit(exited(0))
	if h.children[foreign] == nil {
		t.Error("the reader's child was taken away")
	}
	if h.a.workerByAge(1) != nil {
		t.Error("the own worker was not reaped")
	}
	h.finishWork()
	if h.children[foreign] != nil {
		t.Error("an orphan was left unreaped after the reader had ended")
	}
}

// The first generation may itself be replaced before it is up.
func TestReloadDuringFirstBoot(t *testing.T) {
	h := newHarness(t, nil).start()
	h.reload = func() (*config.Config, error) { return testConfig(nil), nil }
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.post(serverSaid{2, wire.Event{Event: wire.EventReady}})
	for _, w := range h.alive() {
		w.forked()
		w.ready()
	}
	if !h.a.proven || h.a.current.id != 2 {
		t.Errorf("generation %d serves, proven %v", h.a.current.id, h.a.proven)
	}
	h.servers[0].end(killed(unix.SIGKILL))
	if h.a.phase != serving {
		t.Error("the end of the first forkserver stopped the master")
	}
}
