package tests

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is one running pyhost with everything that it started.
type Server struct {
	t       *testing.T
	options Options
	command *exec.Cmd

	stderrPath, outputPath string
	logPaths               []string // what counts as the log, in this order

	// Addresses are what "Listening at:" named: "127.0.0.1:41234", "[::1]:41235", "unix:/path".
	Addresses []string
	// PID is the master's, and group the process group of the whole server, which is the pid of the first master.
	PID, group int

	exited   chan struct{} // closed when the master has been waited for
	exitCode int           // 128+signal if a signal ended it; valid once exited is closed

	mutex    sync.Mutex
	conns    []*Conn
	expected []expectation
	baseline map[int]descriptors // by worker pid, taken when the server became ready

	wantedCode int
	killed     bool   // the master was killed: nobody can have cleaned up
	foreign    string // a unix socket that is not the server's to unlink
}

// Start starts a server, waits until it serves, and arranges that it is stopped and checked at the test's end.
func Start(t *testing.T, options Options) *Server {
	t.Helper()
	directory := t.TempDir()
	s := &Server{t: t, options: options, stderrPath: filepath.Join(directory, "stderr"),
		outputPath: filepath.Join(directory, "stdout"), exited: make(chan struct{}), baseline: map[int]descriptors{}}
	s.logPaths = []string{s.stderrPath}
	words := slices.Concat(options.Through, []string{cmp.Or(options.Program, binary)}, options.arguments(t))
	s.command = exec.Command(words[0], words[1:]...)
	s.command.Dir = directory
	s.command.Env = append(baseEnvironment(directory), options.Env...)
	s.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a terminal's signals are not for it
	s.command.Stderr = openAppending(t, s.stderrPath)
	s.command.Stdout = openAppending(t, s.outputPath)
	s.command.ExtraFiles = options.Files
	if err := s.command.Start(); err != nil {
		t.Fatalf("starting %s: %v", binary, err)
	}
	s.PID = s.command.Process.Pid
	s.group = s.PID
	go s.wait()
	t.Cleanup(s.finish)
	if !options.Cold {
		s.AwaitReady()
	}
	return s
}

// baseEnvironment is small, so that nothing of the developer's own environment (PORT, WEB_CONCURRENCY) gets in.
func baseEnvironment(home string) []string {
	env := []string{"HOME=" + home, "LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1"}
	for _, name := range []string{"PATH", "ASAN_OPTIONS", "GORACE", "GOCOVERDIR", "LD_LIBRARY_PATH", "PYTHONMALLOC"} {
		if value, found := os.LookupEnv(name); found {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func openAppending(t *testing.T, path string) *os.File {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func (s *Server) wait() {
	s.command.Wait() // the state says what the error would
	status := s.command.ProcessState.Sys().(syscall.WaitStatus)
	s.exitCode = status.ExitStatus()
	if status.Signaled() {
		s.exitCode = 128 + int(status.Signal())
	}
	close(s.exited)
}

var listening = regexp.MustCompile(`Listening at: (\S*) ?\(\d+\)`)

// protocolPrefix is what an address of the log line says besides the address.
var protocolPrefix = regexp.MustCompile(`^((http|https|uwsgi)://|(https|uwsgi)\+)`)

// AwaitReady waits until all workers have booted and one of them serves the first address.
func (s *Server) AwaitReady() {
	s.t.Helper()
	s.WaitLog(listening.String(), 1)
	addresses := listening.FindStringSubmatch(s.Log())[1]
	if addresses == "" {
		addresses = strings.Join(s.options.Bind, ",") // --reuse-port: the workers bind, and the line may name nothing
	}
	for _, one := range strings.Split(addresses, ",") {
		s.Addresses = append(s.Addresses, protocolPrefix.ReplaceAllString(one, ""))
	}
	s.WaitWorkers(s.options.workers())
	s.knock()
	for _, pid := range s.Workers() {
		s.baseline[pid] = s.settledDescriptors(pid)
	}
}

// knock connects, says nothing, and hangs up: a worker that accepts sees the end of file and closes without a word.
// The listener is open long before the application is loaded, so only this tells that somebody serves it.
func (s *Server) knock() {
	s.t.Helper()
	c := s.Dial()
	c.CloseWrite()
	c.ExpectClosed()
	c.Close()
}

// Signal sends a signal to the master.
func (s *Server) Signal(signal syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(s.PID, signal); err != nil {
		s.t.Fatalf("signalling the master: %v", err)
	}
}

// WaitExit waits until the master has gone, demands this exit code (128+N for signal N), and returns.
func (s *Server) WaitExit(code int) {
	s.t.Helper()
	s.wantedCode = code
	select {
	case <-s.exited:
	case <-time.After(patience):
		s.t.Fatalf("the master did not exit within %v", patience)
	}
	if s.exitCode != code {
		s.t.Errorf("exit code %d, want %d", s.exitCode, code)
	}
}

// Promote waits until the master has gone, and goes on with the one that it has started (SIGUSR2).
func (s *Server) Promote(pid int) {
	s.t.Helper()
	s.WaitExit(0)
	s.PID, s.exited = pid, make(chan struct{})
	go func() {
		var status syscall.WaitStatus
		syscall.Wait4(pid, &status, 0, nil) // an orphan falls to the suite
		s.exitCode = status.ExitStatus()
		close(s.exited)
	}()
}

// notOurs tells that a unix socket was made by the test and has to survive the server.
func (s *Server) notOurs(path string) {
	s.foreign = path
}

// Stopped reports whether the master has gone.
func (s *Server) Stopped() bool {
	select {
	case <-s.exited:
		return true
	default:
		return false
	}
}

// Output is what the server wrote to standard output.
func (s *Server) Output() string {
	content, err := os.ReadFile(s.outputPath)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(content)
}

// Address is the first address of the server in the form that net.Dial wants.
func (s *Server) Address() (network, address string) {
	return splitAddress(s.Addresses[0])
}

func splitAddress(address string) (string, string) {
	if path, found := strings.CutPrefix(address, "unix:"); found {
		return "unix", path
	}
	return "tcp", address
}

func (s *Server) String() string {
	return fmt.Sprintf("%s %s", filepath.Base(binary), strings.Join(s.command.Args[1:], " "))
}
