package arbiter

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"golang.org/x/sys/unix"
)

const unixBind = "unix:/run/shop.sock"

func onUnix(cfg *config.Config) { cfg.Bind = []string{unixBind} }

func TestUpgradeStartsOneNewMaster(t *testing.T) {
	h := booted(t, onUnix)
	h.signal(unix.SIGUSR2)
	h.signal(unix.SIGUSR2)
	if len(h.upgrades) != 1 {
		t.Fatalf("%d new masters were started", len(h.upgrades))
	}
	b := h.upgrades[0].got
	if b.Master != 99 || len(b.Sockets) != 1 || b.Sockets[0].Address != unixBind || !b.Sockets[0].Owned {
		t.Errorf("the new master gets %+v", b)
	}
	h.wantLine("WARNING USR2 signal ignored. Child exists.")
	h.wantAlive(2)
}

// The old master leaves; the file of the socket and the service stay.
func TestUpgradeOldMasterLeavesTheSocket(t *testing.T) {
	for name, s := range map[string]unix.Signal{"quit": unix.SIGQUIT, "term": unix.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			h := booted(t, onUnix)
			h.signal(unix.SIGUSR2)
			h.signal(s)
			h.endAll()
			h.wantEnded(0)
			if !h.open[unixBind] {
				t.Error("the file of the socket has gone, and the new master with it")
			}
			want := "MAINPID=" + strconv.Itoa(h.upgrades[0].processID)
			if last := h.notes[len(h.notes)-1]; !strings.HasPrefix(last, want) {
				t.Errorf("systemd heard %q, want %s", last, want)
			}
		})
	}
}

// A new master that leaves, or never gets to serve, changes nothing; the old one is alone again.
func TestUpgradeIsTakenBack(t *testing.T) {
	h := booted(t, onUnix)
	h.signal(unix.SIGUSR2)
	h.masterEnds(h.upgrades[0], exited(3))
	if !h.a.alone() || h.a.phase != serving {
		t.Error("the old master does not know that it is alone")
	}
	h.signal(unix.SIGUSR2)
	if len(h.upgrades) != 2 {
		t.Error("no second attempt")
	}
	h.masterEnds(h.upgrades[1], exited(0))
	h.signal(unix.SIGTERM)
	h.endAll()
	h.wantEnded(0)
	if h.open[unixBind] {
		t.Error("the last master left the file of its socket")
	}
}

func TestUpgradeThatCannotStart(t *testing.T) {
	h := booted(t, onUnix)
	h.upgradeError = errors.New("/usr/bin/pyhost: no such file or directory")
	h.signal(unix.SIGUSR2)
	h.wantLine("ERROR The new master cannot be started, this one goes on: /usr/bin/pyhost: no such file or directory")
	h.upgradeError = nil
	h.signal(unix.SIGUSR2)
	if len(h.upgrades) != 1 {
		t.Error("no second attempt")
	}
	h.wantAlive(2)
}

// The rollback that gunicorn documents: USR2, WINCH to the old one, then HUP or TTIN to it and QUIT to the new one.
func TestUpgradeRollback(t *testing.T) {
	h := booted(t, onUnix)
	h.signal(unix.SIGUSR2)
	h.signal(unix.SIGWINCH)
	for _, w := range h.alive() {
		w.wantSignals(unix.SIGTERM)
		w.exit(0)
	}
	h.pass(time.Minute)
	h.wantAlive(0)
	if h.a.phase != serving {
		t.Fatal("the master left with its workers")
	}
	h.signal(unix.SIGTTIN)
	h.bootAll()
	h.wantAlive(1)
	h.reload = func() (*config.Config, error) { return testConfig(onUnix), nil }
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.bootAll()
	h.workers[2].exit(0)
	h.wantAlive(2)
}

func TestWinchOnATerminalIsIgnored(t *testing.T) {
	h := booted(t, nil)
	h.onTerminal = true
	h.signal(unix.SIGWINCH)
	h.wantAlive(2)
	h.wantLine("DEBUG SIGWINCH ignored. Not daemonized")
}

// The new master keeps its pid in NAME.2 and is quiet towards systemd; both change when the old one has gone.
func TestUpgradePromotion(t *testing.T) {
	for how, killed := range map[string]bool{"left": false, "was killed": true} {
		t.Run(how, func(t *testing.T) { testPromotion(t, killed) })
	}
}

// testPromotion makes the new master the only one. An old one that was killed has left its pid file behind.
func testPromotion(t *testing.T, killed bool) {
	path := filepath.Join(t.TempDir(), "pid")
	pid := os.Getpid()
	if err := os.WriteFile(path, []byte("1\n"), 0o644); err != nil { // of the old master, which lives
		t.Fatal(err)
	}
	h := newHarness(t, func(cfg *config.Config) { onUnix(cfg); cfg.Pidfile = path })
	h.a.pid, h.parent = pid, 1
	h.start()
	h.bootAll()
	if got, _ := readPid(path + ".2"); got != pid {
		t.Fatalf("%s.2 holds %d", path, got)
	}
	h.signal(unix.SIGUSR2)
	h.wantLine("WARNING USR2 signal ignored. Parent exists.")
	if len(h.upgrades) != 0 || h.a.alone() || len(h.notes) != 0 {
		t.Errorf("before the promotion: %d upgrades, systemd heard %q", len(h.upgrades), h.notes)
	}
	if !killed {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	h.post(predecessorLeft{})
	if got, _ := readPid(path); got != pid {
		t.Errorf("%s holds %d after the promotion", path, got)
	}
	if _, err := os.Stat(path + ".2"); err == nil {
		t.Error("the pid file NAME.2 is still there")
	}
	h.wantLine("INFO Master has been promoted.")
	if want := "READY=1\nSTATUS=2 workers"; !h.a.alone() || len(h.notes) != 1 || h.notes[0] != want {
		t.Errorf("after the promotion systemd heard %q, want %q", h.notes, want)
	}
}

// A new master that is taken back leaves the sockets and systemd to the old one.
func TestUpgradeNewMasterLeaves(t *testing.T) {
	h := newHarness(t, onUnix)
	h.parent = 98
	h.start()
	h.bootAll()
	h.signal(unix.SIGTERM)
	h.endAll()
	h.wantEnded(0)
	if !h.open[unixBind] || len(h.notes) != 0 {
		t.Errorf("socket there: %v; systemd heard %q", h.open[unixBind], h.notes)
	}
}

// What comes while the server starts, reloads or stops has one outcome each.
func TestUpgradeAtOtherTimes(t *testing.T) {
	h := newHarness(t, nil)
	if err := h.a.start(); err != nil {
		t.Fatal(err)
	}
	h.a.signal(unix.SIGUSR2) // nothing is bound
	h.wantLine("WARNING USR2 signal ignored. The server is about to start, or to stop.")
	h.run()
	h.bootAll()
	h.reload = func() (*config.Config, error) { return testConfig(nil), nil }
	h.signal(unix.SIGHUP)
	h.signal(unix.SIGWINCH)
	h.wantLine("WARNING WINCH signal ignored. A reload is under way.")
	h.signal(unix.SIGUSR2)
	if len(h.upgrades) != 1 {
		t.Fatalf("%d new masters were started during a reload", len(h.upgrades))
	}
	h.finishWork()
	h.bootAll()
	h.wantAlive(4) // the reload goes on beside the new master
	h.signal(unix.SIGTERM)
	h.lines = nil
	h.signal(unix.SIGUSR2)
	h.signal(unix.SIGWINCH)
	h.wantLine("WARNING USR2 signal ignored. The server is about to start, or to stop.")
	if len(h.upgrades) != 1 {
		t.Error("a new master was started by one that stops")
	}
}

// Process 1 of a container outlives its own retirement: it hands signals on, follows further upgrades, and ends with
// the last master.
func TestUpgradeOfProcess1(t *testing.T) {
	h := booted(t, nil)
	h.a.pid = 1
	h.signal(unix.SIGUSR2)
	h.signal(unix.SIGQUIT)
	h.endAll()
	second := h.upgrades[0]
	if h.a.phase != attending || !second.released {
		t.Fatalf("phase %d, promoted: %v", h.a.phase, second.released)
	}
	h.signal(unix.SIGHUP)
	h.signal(unix.SIGUSR2)
	if len(h.upgrades) != 1 || len(second.signals) != 2 {
		t.Errorf("%d upgrades, the new master was sent %v", len(h.upgrades), second.signals)
	}
	third := &fakeMaster{processID: h.newPID()}
	h.heirs = []*fakeMaster{third}
	h.masterEnds(second, exited(0))
	h.signal(unix.SIGTERM)
	if len(third.signals) != 1 {
		t.Fatalf("the third master was sent %v", third.signals)
	}
	h.heirs = nil
	h.masterEnds(third, killed(unix.SIGKILL))
	h.wantEnded(137)
}

// TERM means the container, unlike QUIT.
func TestStopOfProcess1StopsTheNewMaster(t *testing.T) {
	h := booted(t, nil)
	h.a.pid = 1
	h.signal(unix.SIGUSR2)
	h.signal(unix.SIGTERM)
	h.endAll()
	if got := h.upgrades[0].signals; len(got) != 1 || got[0] != unix.SIGTERM {
		t.Errorf("the new master was sent %v", got)
	}
	h.masterEnds(h.upgrades[0], exited(0))
	h.wantEnded(0)
}

// What hastens the stop of a container hastens both masters.
func TestQuickStopOfProcess1(t *testing.T) {
	h := booted(t, nil)
	h.a.pid = 1
	h.signal(unix.SIGUSR2)
	h.signal(unix.SIGTERM)
	h.signal(unix.SIGQUIT)
	if got := h.upgrades[0].signals; len(got) != 2 || got[1] != unix.SIGQUIT {
		t.Errorf("the new master was sent %v", got)
	}
}

// systemd hears the old master until it has drained, then the new one: there is no moment without a watchdog.
func TestUpgradeKeepsTheWatchdogQuiet(t *testing.T) {
	h := newHarness(t, func(cfg *config.Config) { cfg.GracefulTimeout = 100 })
	h.watchdogPeriod = 10 * time.Second
	h.start()
	h.bootAll()
	h.signal(unix.SIGUSR2)
	h.signal(unix.SIGTERM)
	h.notes = nil
	h.pass(30 * time.Second)
	if got := strings.Join(h.notes, " "); strings.Count(got, "WATCHDOG=1") != 6 || strings.Contains(got, "PID") {
		t.Errorf("while the old master drains systemd hears %q", got)
	}
	h.endAll()
	if want := "MAINPID=" + strconv.Itoa(h.upgrades[0].processID); h.notes[len(h.notes)-1] != want {
		t.Errorf("the last words are %q, want %q", h.notes[len(h.notes)-1], want)
	}

	heir := newHarness(t, nil)
	heir.watchdogPeriod, heir.parent = 10*time.Second, 98
	heir.start()
	heir.bootAll()
	heir.pass(12 * time.Second)
	if len(heir.notes) != 0 {
		t.Errorf("before it is promoted systemd hears %q", heir.notes)
	}
	heir.post(predecessorLeft{})
	if got := strings.Join(heir.notes, " "); !strings.Contains(got, "WATCHDOG=1") {
		t.Errorf("promoted, it says %q", got)
	}
}

// A new master that ends while the old one drains leaves nobody: then the service stops.
func TestUpgradeLosesBothMasters(t *testing.T) {
	h := booted(t, nil)
	h.signal(unix.SIGUSR2)
	h.signal(unix.SIGTERM)
	h.masterEnds(h.upgrades[0], killed(unix.SIGSEGV))
	h.endAll()
	h.wantEnded(0)
	if got := strings.Join(h.notes, " "); !strings.HasSuffix(got, "STOPPING=1") || strings.Contains(got, "MAINPID") {
		t.Errorf("systemd heard %q", got)
	}
}

// A master that is not process 1 tells whoever is that its successor serves.
func TestUpgradeCommendsTheSuccessor(t *testing.T) {
	h := booted(t, nil)
	h.signal(unix.SIGUSR2)
	h.signal(unix.SIGTERM)
	h.endAll()
	h.wantEnded(0)
	if len(h.commended) != 1 || h.commended[0] != h.upgrades[0].processID {
		t.Errorf("commended: %v", h.commended)
	}
}

// endAll lets all workers and the forkserver end as they were told.
func (h *harness) endAll() {
	h.t.Helper()
	for _, w := range h.alive() {
		w.exit(0)
	}
	h.server().end(0)
}
