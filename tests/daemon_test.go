package tests

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// daemon is a server that has detached from the test.
type daemon struct {
	pid             int
	socket, logPath string
}

// startDaemon runs pyhost -D and expects it to be up when the command returns.
func startDaemon(t *testing.T, app string, args ...string) *daemon {
	t.Helper()
	directory := shortDir(t)
	d := &daemon{socket: filepath.Join(directory, "sock"), logPath: filepath.Join(directory, "log")}
	pidfile := filepath.Join(directory, "pid")
	args = append(args, "-D", "--python", interpreter, "--chdir", applicationFolder(t, app), "--pid", pidfile,
		"--bind", "unix:"+d.socket, "--error-logfile", d.logPath, "wsgi")
	o := run(t, nil, args...)
	if o.code != 0 || o.stdout != "" || o.stderr != "" {
		t.Fatalf("%+v\n%s", o, contentOf(d.logPath))
	}
	d.pid, _ = strconv.Atoi(strings.TrimSpace(contentOf(pidfile)))
	if d.pid == 0 {
		t.Fatalf("the pid file is %q", contentOf(pidfile))
	}
	t.Cleanup(func() {
		syscall.Kill(d.pid, syscall.SIGTERM)
		eventually(t, "the daemon is gone", func() bool {
			syscall.Wait4(d.pid, nil, syscall.WNOHANG, nil) // the suite inherits what is orphaned
			return !alive(d.pid)
		})
		for _, path := range []string{pidfile, d.socket} {
			if _, err := os.Lstat(path); err == nil {
				t.Errorf("the daemon leaves %s behind", path)
			}
		}
		if log := contentOf(d.logPath); alarming.MatchString(log) {
			t.Errorf("unexpected in the log:\n%s", log)
		}
	})
	return d
}

// get asks the daemon for a page.
func (d *daemon) get(t *testing.T, path string) int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", d.socket)
		},
	}}
	response, err := client.Get("http://daemon" + path)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func TestDaemon(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "hello")
	if code := d.get(t, "/"); code != 200 {
		t.Errorf("status %d", code)
	}
	stat := strings.Fields(contentOf(fmt.Sprintf("/proc/%d/stat", d.pid)))
	if session, terminal := stat[5], stat[6]; session != strconv.Itoa(d.pid) || terminal != "0" {
		t.Errorf("the daemon %d is of session %s with the terminal %s", d.pid, session, terminal)
	}
	for fd := range 3 {
		if target, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", d.pid, fd)); target != "/dev/null" {
			t.Errorf("its descriptor %d is %s", fd, target)
		}
	}
	if !strings.Contains(contentOf(fmt.Sprintf("/proc/%d/status", d.pid)), "Umask:\t0022\n") {
		t.Error("its umask is not 022")
	}
	d.wantUnaware(t)
	if log := contentOf(d.logPath); !strings.Contains(log, "Booting worker with pid") {
		t.Errorf("the log is %q", log)
	}
}

// wantUnaware demands that the application knows nothing of how the daemon was started.
func (d *daemon) wantUnaware(t *testing.T) {
	t.Helper()
	pid := strings.TrimSpace(contentOf(fmt.Sprintf("/proc/%d/task/%d/children", d.pid, d.pid)))
	if strings.Contains(contentOf("/proc/"+pid+"/environ"), "_PYHOST_DAEMON=") {
		t.Error("the application sees the private variable")
	}
	if !strings.Contains(contentOf("/proc/"+pid+"/status"), "Umask:\t0022\n") {
		t.Error("the umask of the application is not 022")
	}
}

// A Python config file is evaluated by a process that then becomes the application's.
func TestDaemonWithPythonFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "conf.py")
	if err := os.WriteFile(file, []byte("workers = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	startDaemon(t, "hello", "-c", file).wantUnaware(t)
}

// With enable_stdio_inheritance, what is no terminal stays where it was redirected to.
func TestDaemonKeepsRedirectedOutput(t *testing.T) {
	t.Parallel()
	d := startDaemon(t, "hello", "-R")
	for fd, want := range map[int]string{0: "/dev/null", 1: os.TempDir(), 2: os.TempDir()} {
		if target, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", d.pid, fd)); !strings.HasPrefix(target, want) {
			t.Errorf("its descriptor %d is %s, want %s", fd, target, want)
		}
	}
}

// The command tells of a daemon that could not start: with its exit code, and where the reason is.
func TestDaemonThatCannotStart(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	o := run(t, []string{"BREAK=raise"}, "-D", "--python", interpreter, "--chdir", applicationFolder(t, "unloadable"),
		"--bind", "127.0.0.1:0", "--error-logfile", log, "wsgi")
	want := "Error: the daemon could not start; its log says why: " + log + "\n"
	if o.code != 3 || o.stderr != want || !strings.Contains(contentOf(log), "the database is on fire") {
		t.Errorf("%+v, want code 3 and %q; the log is\n%s", o, want, contentOf(log))
	}
	o = run(t, nil, "-D", "--workers", "x", "wsgi")
	if o.code != 1 || o.stderr != "Invalid value for --workers: 'x': must be a whole number of 0 or more\n" {
		t.Errorf("a mistake in the settings: %+v", o)
	}
}
