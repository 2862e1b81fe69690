package arbiter

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pyhost/pyhost/config"
	"golang.org/x/sys/unix"
)

func TestPidfile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	p, err := createPidfile(path, 4321)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "4321\n" {
		t.Errorf("the file has %q, %v", text, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%d files, %v: the temporary one was left", len(entries), err)
	}
	p.remove()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file was left behind (%v)", err)
	}
}

func TestPidfileOfOthers(t *testing.T) {
	const gone = 1 << 22 // beyond the kernel's largest pid
	tests := []struct {
		name, content string
		refused       bool
	}{
		{"of a live process", fmt.Sprintf("%d\n", os.Getppid()), true},
		{"of init", "1\n", true},
		{"of a dead process", fmt.Sprint(gone), false},
		{"of this process", fmt.Sprintf("%d\n", os.Getpid()), false}, // the same pid again after a container's restart
		{"empty", "", false},
		{"no number", "hello", false},
		{"negative", "-1", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "pid")
			if err := os.WriteFile(path, []byte(test.content), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := createPidfile(path, os.Getpid())
			refused := err != nil && strings.Contains(err.Error(), "already running on PID")
			if refused != test.refused {
				t.Fatalf("got %v", err)
			}
			text, _ := os.ReadFile(path)
			if ours := string(text) == fmt.Sprintf("%d\n", os.Getpid()); ours == test.refused {
				t.Errorf("the file has %q", text)
			}
		})
	}
}

// A process of which only the end is left, for a parent that does not ask, keeps nobody from starting.
func TestPidfileOfAZombie(t *testing.T) {
	ended := exec.Command("true")
	if err := ended.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ended.Wait() })
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PID, ended.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "pid")
	if err := os.WriteFile(path, fmt.Appendln(nil, ended.Process.Pid), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := createPidfile(path, os.Getpid()); err != nil {
		t.Error(err)
	}
}

func TestPidfileErrors(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	want := "cannot write pid file " + dir + "/pid: there is no directory " + dir
	if _, err := createPidfile(dir+"/pid", 1); err == nil || err.Error() != want {
		t.Errorf("without the directory: %v", err)
	}
	want = "cannot write pid file pid in /proc: "
	if _, err := createPidfile("/proc/pid", 1); err == nil || !strings.HasPrefix(err.Error(), want) ||
		strings.Contains(err.Error(), ".pyhost-pid") {
		t.Errorf("in a directory that takes no files: %v", err)
	}
	if _, err := createPidfile(t.TempDir(), 1); err == nil {
		t.Error("a directory was taken for a pid file")
	}
}

func TestPidfileKeepsSuccessors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	p, err := createPidfile(path, 4321)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("4322\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.remove()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file of another process was removed: %v", err)
	}
	var none *pidfile
	none.remove()
}

func TestReloadMovesPidfile(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	exists := func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	}
	next := second
	h := booted(t, func(c *config.Config) { c.Pidfile = first })
	h.reload = func() (*config.Config, error) {
		return testConfig(func(c *config.Config) { c.Pidfile = next }), nil
	}
	h.signal(unix.SIGHUP)
	h.finishWork()
	if !exists(first) || !exists(second) {
		t.Fatal("both files are to be there while the reload may fail")
	}
	h.servers[1].end(exited(1))
	if !exists(first) || exists(second) {
		t.Fatal("the failed reload left the wrong file")
	}
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.bootAll()
	if exists(first) || !exists(second) {
		t.Fatal("the reload left the wrong file")
	}
	next = filepath.Join(dir, "none", "pid")
	h.signal(unix.SIGHUP)
	h.finishWork()
	if h.a.next != nil || !exists(second) || !strings.Contains(h.log(), "Reload failed") {
		t.Errorf("a pid file that cannot be written did not stop the reload; log:\n%s", h.log())
	}
}

// A stop ends a reload that has a pid file of its own.
func TestStopDuringReloadRemovesPidfiles(t *testing.T) {
	dir := t.TempDir()
	h := booted(t, func(c *config.Config) { c.Pidfile = filepath.Join(dir, "first") })
	h.reload = func() (*config.Config, error) {
		return testConfig(func(c *config.Config) { c.Pidfile = filepath.Join(dir, "second") }), nil
	}
	h.signal(unix.SIGHUP)
	h.finishWork()
	h.signal(unix.SIGTERM)
	h.servers[0].end(exited(0))
	h.endAll()
	h.wantEnded(exitOK)
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
