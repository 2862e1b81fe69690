package arbiter

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"golang.org/x/sys/unix"
)

// patience bounds every wait of the tests with real processes.
const patience = 10 * time.Second

// real is a tree of real processes: a master, its forkservers and workers, in a process group of their own.
type real struct {
	t       *testing.T
	command *exec.Cmd
	config  *config.Config
	file    string // of the configuration
	log     string // its file
	exit    chan int
}

// startReal starts a master and waits until it serves, or has ended.
func startReal(t *testing.T, change func(*config.Config), files ...*os.File) *real {
	t.Helper()
	dir := t.TempDir()
	r := &real{t: t, file: filepath.Join(dir, "config"), log: filepath.Join(dir, "log"), exit: make(chan int, 1)}
	r.config = testConfig(func(c *config.Config) {
		c.App, c.Bind, c.Backlog = "ok", []string{"127.0.0.1:0"}, 128
		change(c)
	})
	r.writeConfig()
	log, err := os.Create(r.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	r.command = exec.Command("/proc/self/exe")
	r.command.Env = append(os.Environ(), roleVariable+"=master", configVariable+"="+r.file,
		"GORACE=halt_on_error=1 atexit_sleep_ms=0")
	r.command.Stderr, r.command.Stdout, r.command.ExtraFiles = log, log, files
	r.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = r.command.Wait()
		r.exit <- r.command.ProcessState.ExitCode()
	}()
	t.Cleanup(r.cleanUp)
	return r
}

// cleanUp ends what a test has left behind, and shows the log of one that failed.
func (r *real) cleanUp() {
	_ = unix.Kill(-r.command.Process.Pid, unix.SIGKILL)
	text := r.read()
	if strings.Contains(text, "DATA RACE") {
		r.t.Error("a race was detected")
	}
	if r.t.Failed() {
		r.t.Logf("the log:\n%s", text)
	}
}

func (r *real) writeConfig() {
	r.t.Helper()
	text, err := json.Marshal(r.config)
	if err == nil {
		err = os.WriteFile(r.file, text, 0o600)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *real) read() string {
	text, err := os.ReadFile(r.log)
	if err != nil {
		r.t.Error(err)
	}
	return string(text)
}

// eventually polls until condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (r *real) waitLine(part string) {
	r.t.Helper()
	r.waitLines(part, 1)
}

func (r *real) waitLines(part string, count int) {
	r.t.Helper()
	eventually(r.t, part, func() bool { return strings.Count(r.read(), part) >= count })
}

var readyLine = regexp.MustCompile(`READY (\d+) of generation (\d+), ppid (\d+)`)

// started are the pids of the workers that became ready in a generation, dead ones included. The master may not have
// heard of it yet.
func (r *real) started(generation int) []int {
	var pids []int
	for _, match := range readyLine.FindAllStringSubmatch(r.read(), -1) {
		if match[2] == strconv.Itoa(generation) {
			pid, _ := strconv.Atoi(match[1])
			pids = append(pids, pid)
		}
	}
	return pids
}

// waitStarted waits until count workers have become ready in a generation, and the master knows it.
func (r *real) waitStarted(generation, count int) []int {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("%d workers of generation %d", count, generation), func() bool {
		text := r.read()
		said := strings.Count(text, " is ready\n") // after the forkserver's line, which goes on
		return len(r.started(generation)) >= count && said >= len(readyLine.FindAllString(text, -1))
	})
	return r.started(generation)
}

// forkserver is the pid of the latest forkserver.
func (r *real) forkserver() int {
	r.t.Helper()
	matches := regexp.MustCompile(`Starting forkserver with pid: (\d+)`).FindAllStringSubmatch(r.read(), -1)
	if len(matches) == 0 {
		r.t.Fatal("no forkserver was started")
	}
	pid, _ := strconv.Atoi(matches[len(matches)-1][1])
	return pid
}

// address is where the master listens, by the latest line about it.
func (r *real) address() string {
	r.t.Helper()
	r.waitLine("Listening at: ")
	matches := regexp.MustCompile(`Listening at: http://([^ ,]+)`).FindAllStringSubmatch(r.read(), -1)
	return matches[len(matches)-1][1]
}

// call asks a worker for its pid and generation.
func call(network, address string) (pid, generation int, err error) {
	conn, err := net.DialTimeout(network, address, patience)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return 0, 0, err
	}
	_, err = fmt.Sscan(line, &pid, &generation)
	return pid, generation, err
}

func (r *real) signal(s unix.Signal) {
	r.t.Helper()
	if err := r.command.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// waitExit waits for the master's end, and that no process has stayed behind.
func (r *real) waitExit(code int) {
	r.t.Helper()
	select {
	case got := <-r.exit:
		if got != code {
			r.t.Errorf("exit code %d, want %d", got, code)
		}
	case <-time.After(patience):
		r.t.Fatal("the master does not end")
	}
	r.waitGone()
}

func (r *real) waitGone() {
	r.t.Helper()
	eventually(r.t, "the end of all processes", func() bool {
		return errors.Is(unix.Kill(-r.command.Process.Pid, 0), unix.ESRCH)
	})
}

func TestRealServeAndStop(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.sock")
	pidfile := filepath.Join(t.TempDir(), "pid")
	r := startReal(t, func(c *config.Config) {
		c.Bind = append(c.Bind, "unix:"+path)
		c.Umask, c.Pidfile = 0o007, pidfile
	})
	pids := r.waitStarted(1, 2)
	for _, at := range []struct{ network, address string }{{"tcp", r.address()}, {"unix", path}} {
		pid, _, err := call(at.network, at.address)
		if err != nil || !slices.Contains(pids, pid) {
			t.Errorf("%s: answered by %d of %v, %v", at.network, pid, pids, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o770 {
		t.Errorf("the Unix socket: %v, %v", info.Mode(), err)
	}
	if text, err := os.ReadFile(pidfile); err != nil || string(text) != fmt.Sprintf("%d\n", r.command.Process.Pid) {
		t.Errorf("the pid file has %q, %v", text, err)
	}
	r.signal(unix.SIGUSR1)
	r.waitLine("was sent SIGUSR1")
	r.signal(unix.SIGTERM)
	r.waitExit(exitOK)
	for _, gone := range []string{path, pidfile} {
		if _, err := os.Lstat(gone); !os.IsNotExist(err) {
			t.Errorf("%s was left behind (%v)", gone, err)
		}
	}
	r.waitLine("INFO Shutting down: Master")
}

func TestRealBootFailures(t *testing.T) {
	tests := []struct {
		app    string
		code   int
		cause  string
		reason string
	}{
		{"raise", 3, "failed to boot: no module named 'shop'", "Reason: Worker failed to boot."},
		{"missing", 4, "failed to boot: no module named 'shop'", "Reason: App failed to load."},
		{"preload", 3, "failed to boot: boom\ntb", "Reason: Worker failed to boot."},
	}
	for _, test := range tests {
		t.Run(test.app, func(t *testing.T) {
			r := startReal(t, func(c *config.Config) { c.App = test.app })
			r.waitExit(test.code)
			r.waitLine(test.cause)
			r.waitLine(test.reason)
		})
	}
}

func TestRealReload(t *testing.T) {
	r := startReal(t, func(c *config.Config) {})
	old := r.waitStarted(1, 2)
	address := r.address()
	stop, calls := make(chan struct{}), make(chan error, 1)
	go func() { // a client all the while: no connection may be refused
		for {
			select {
			case <-stop:
				calls <- nil
				return
			default:
			}
			if _, _, err := call("tcp", address); err != nil && !errors.Is(err, unix.ECONNRESET) {
				calls <- err
				return
			}
		}
	}()
	r.signal(unix.SIGHUP)
	r.waitLine("INFO Reloaded: 2 new workers took over")
	eventually(t, "the end of the old workers", func() bool { return !alive(old[0]) && !alive(old[1]) })
	close(stop)
	if err := <-calls; err != nil {
		t.Errorf("a client failed during the reload: %v", err)
	}
	fresh := r.started(2)
	if pid, generation, err := call("tcp", address); err != nil || generation != 2 || !slices.Contains(fresh, pid) {
		t.Errorf("answered by %d of generation %d, %v", pid, generation, err)
	}

	r.config.App = "raise"
	r.writeConfig()
	r.signal(unix.SIGHUP)
	r.waitLine("ERROR Reload failed, the workers of before go on serving: " +
		"worker failed to boot: no module named 'shop'")
	for _, pid := range fresh {
		if !alive(pid) {
			t.Errorf("worker %d has gone", pid)
		}
	}
	if _, generation, err := call("tcp", address); err != nil || generation != 2 {
		t.Errorf("after the failed reload generation %d answers, %v", generation, err)
	}
	r.signal(unix.SIGINT)
	r.waitExit(exitOK)
}

func TestRealForkserverDeath(t *testing.T) {
	r := startReal(t, func(c *config.Config) { c.Workers = 1 })
	pid := r.waitStarted(1, 1)[0]
	first := r.forkserver()
	_ = unix.Kill(first, unix.SIGKILL)
	eventually(t, "another forkserver", func() bool { return r.forkserver() != first })
	if got, _, err := call("tcp", r.address()); err != nil || got != pid {
		t.Errorf("answered by %d, %v; want the old worker %d", got, err, pid)
	}
	_ = unix.Kill(pid, unix.SIGKILL) // now the master's child: it must see the status
	r.waitLine(fmt.Sprintf("ERROR Worker (pid:%d) was sent SIGKILL! ", pid))
	r.waitStarted(1, 2)
	r.signal(unix.SIGTERM)
	r.waitExit(exitOK)
}

func TestRealTimeout(t *testing.T) {
	r := startReal(t, func(c *config.Config) { c.App, c.Workers, c.Timeout = "stuck", 1, 1 })
	pid := r.waitStarted(1, 1)[0]
	if _, _, err := call("tcp", r.address()); err != nil {
		t.Fatal(err)
	}
	r.waitLine(fmt.Sprintf("CRITICAL WORKER TIMEOUT (pid:%d)", pid))
	r.waitLine(fmt.Sprintf("WORKER %d was sent SIGABRT", pid))
	r.waitLine(fmt.Sprintf("ERROR Worker (pid:%d) was sent SIGKILL!\n", pid))
	r.waitStarted(1, 2)
	r.signal(unix.SIGQUIT)
	r.waitExit(exitOK)
}

func TestRealStubbornWorker(t *testing.T) {
	t.Run("graceful timeout", func(t *testing.T) {
		r := startReal(t, func(c *config.Config) { c.App, c.GracefulTimeout = "stubborn", 1 })
		r.waitStarted(1, 2)
		r.signal(unix.SIGTERM)
		r.waitExit(exitOK)
		r.waitLine("WARNING Worker graceful timeout")
	})
	t.Run("hastened", func(t *testing.T) {
		r := startReal(t, func(c *config.Config) { c.App = "stubborn" })
		r.waitStarted(1, 2)
		r.signal(unix.SIGTERM)
		r.waitLines("was sent SIGTERM", 2)
		r.signal(unix.SIGINT)
		r.waitExit(exitOK)
		r.waitLine("INFO Quick shutdown requested")
	})
}

func TestRealMasterDeath(t *testing.T) {
	r := startReal(t, func(c *config.Config) {})
	r.waitStarted(1, 2)
	r.signal(unix.SIGKILL)
	<-r.exit
	r.waitGone()
	r.waitLines("has no master", 2)
}

func TestRealReusePort(t *testing.T) {
	r := startReal(t, func(c *config.Config) { c.ReusePort = true })
	pids := r.waitStarted(1, 2)
	seen := map[int]bool{}
	eventually(t, "answers of both workers", func() bool {
		pid, _, err := call("tcp", r.address())
		if err != nil {
			t.Fatal(err)
		}
		seen[pid] = true
		return len(seen) == len(pids)
	})
	// A new worker takes the socket of the dead one, with what waits in it.
	_ = unix.Kill(pids[0], unix.SIGKILL)
	for range 20 {
		if _, _, err := call("tcp", r.address()); err != nil && !errors.Is(err, unix.ECONNRESET) {
			t.Errorf("while a worker was replaced: %v", err)
		}
	}
	r.waitStarted(1, 3)
	r.signal(unix.SIGTERM)
	r.waitExit(exitOK)
}

func TestRealInheritedSocket(t *testing.T) {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "in.sock"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	file, err := listener.File()
	if err != nil {
		t.Fatal(err)
	}
	path := listener.Addr().String()
	_ = listener.Close()
	r := startReal(t, func(c *config.Config) { c.Bind = []string{"fd://3"} }, file)
	_ = file.Close()
	pids := r.waitStarted(1, 2)
	r.waitLine("INFO Listening at: unix:" + path)
	if pid, _, err := call("unix", path); err != nil || !slices.Contains(pids, pid) {
		t.Errorf("answered by %d, %v", pid, err)
	}
	r.signal(unix.SIGTERM)
	r.waitExit(exitOK)
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the socket of somebody else was removed: %v", err)
	}
}

func TestRealPidfileOfOther(t *testing.T) {
	pidfile := filepath.Join(t.TempDir(), "pid")
	if err := os.WriteFile(pidfile, []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		t.Fatal(err)
	}
	r := startReal(t, func(c *config.Config) { c.Pidfile = pidfile })
	r.waitExit(exitError)
	r.waitLine(fmt.Sprintf("ERROR Error: already running on PID %d", os.Getpid()))
	if text, err := os.ReadFile(pidfile); err != nil || string(text) != strconv.Itoa(os.Getpid()) {
		t.Errorf("the file of the other has %q, %v", text, err)
	}
}

func TestRealTooManyWorkers(t *testing.T) {
	r := startReal(t, func(c *config.Config) { c.Workers = MaxWorkers + 1 })
	r.waitExit(exitError)
	r.waitLine("ERROR Error: invalid value for workers: 513; one master runs at most 512")
}
