package tests

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mainpid is what a master says of the one that follows.
var mainpid = regexp.MustCompile(`(?m)^MAINPID=(\d+)$`)

// manager is the side of sd_notify(3) that systemd has: it listens to the main process alone (NotifyAccess=main).
type manager struct {
	conn    *net.UnixConn
	main    int      // 0 = not known yet: whoever speaks first
	named   []naming // by MAINPID=
	heard   string
	ignored []string
}

// naming is one MAINPID= with what systemd sees when it hears it.
type naming struct{ by, pid, parent int }

func newManager(t *testing.T) (*manager, string) {
	t.Helper()
	path := filepath.Join(shortDir(t), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1)
	}); err != nil {
		t.Fatal(err)
	}
	return &manager{conn: conn}, path
}

// listen takes in what is said until done holds.
func (m *manager) listen(t *testing.T, done func() bool) {
	t.Helper()
	text, control := make([]byte, 4096), make([]byte, 4096)
	if err := m.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for !done() {
		n, controlled, _, _, err := m.conn.ReadMsgUnix(text, control)
		if err != nil {
			t.Fatalf("%v; named %v, ignored %q", err, m.named, m.ignored)
		}
		messages, err := unix.ParseSocketControlMessage(control[:controlled])
		if err != nil || len(messages) != 1 {
			t.Fatalf("%v, %v", messages, err)
		}
		credentials, err := unix.ParseUnixCredentials(&messages[0])
		if err != nil {
			t.Fatal(err)
		}
		m.hear(int(credentials.Pid), string(text[:n]))
	}
}

func (m *manager) hear(from int, state string) {
	if m.main == 0 {
		m.main = from
	}
	if from != m.main {
		m.ignored = append(m.ignored, fmt.Sprintf("%d: %s", from, state))
		return
	}
	m.heard += state + "\n"
	if match := mainpid.FindStringSubmatch(state); match != nil {
		m.main, _ = strconv.Atoi(match[1])
		now := naming{by: from, pid: m.main}
		if p := readProcess(m.main); p != nil {
			now.parent = p.parent
		}
		m.named = append(m.named, now)
	}
}

// TestUpgradeUnderSystemd: systemd waits for the end of its own children alone, and looks whose child a process is when
// it is named. It would kill the workers of a new master that was still the old one's at that moment.
func TestUpgradeUnderSystemd(t *testing.T) {
	t.Parallel()
	m, path := newManager(t)
	s := Start(t, Options{App: "hello", Kind: syncKind, Env: []string{"NOTIFY_SOCKET=" + path}})
	old, successor := s.PID, s.Upgrade()
	s.countWorkers(2)
	s.Signal(syscall.SIGTERM)
	s.Promote(successor)
	m.listen(t, func() bool { return m.main == successor })
	last := m.named[len(m.named)-1]
	if last.by == old || last.parent == old || last.parent == 0 {
		t.Errorf("the new master was named so: %+v; the old one is %d", last, old)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(last.by, &status, 0, nil); err != nil || status != 0 { // an orphan falls to the suite
		t.Errorf("who named it ended with %#x, %v", status, err)
	}
	s.WaitLog("Master has been promoted", 1)
	s.Signal(syscall.SIGTERM)
	m.listen(t, func() bool { return strings.Count(m.heard, "STOPPING=1") == 1 })
	if len(m.ignored) > 0 {
		t.Errorf("said by processes that systemd does not listen to: %q", m.ignored)
	}
	s.WaitExit(0)
	s.forgetDescriptors()
}

// TestUpgradeLeavesThePidFile: systemd reads it (PIDFile=) when the old master has ended.
func TestUpgradeLeavesThePidFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(shortDir(t), "pid")
	s := Start(t, Options{App: "hello", Kind: syncKind, Args: []string{"--pid", path}})
	successor := s.Upgrade()
	eventually(t, "NAME.2 holds the pid of the new master", func() bool { return readPidFile(t, path+".2") == successor })
	s.countWorkers(2)
	gone := make(chan int)
	go func() {
		for pid := 0; pid != successor; {
			text, err := os.ReadFile(path)
			if err != nil {
				break
			}
			pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		text, _ := os.ReadFile(path)
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		gone <- pid
	}()
	s.Signal(syscall.SIGTERM)
	if pid := <-gone; pid != successor {
		t.Errorf("there was a moment without a pid file")
	}
	s.Promote(successor)
	s.WaitLog("Master has been promoted", 1)
	if pid := readPidFile(t, path); pid != successor {
		t.Errorf("the pid file holds %d; the new master is %d", pid, successor)
	}
	s.forgetDescriptors()
}
