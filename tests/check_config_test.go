package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// checkConfig runs --check-config, or another option, on an application of pyapps.
func checkConfig(t *testing.T, option, app string, args ...string) outcome {
	t.Helper()
	folder, attribute, _ := strings.Cut(app, ":")
	args = append(args, option, "--python", interpreter, "--chdir", applicationFolder(t, folder), "wsgi:"+attribute)
	return run(t, []string{"BREAK=raise"}, args...)
}

// The exit codes are gunicorn's: 0, or 1 for whatever is wrong.
func TestCheckConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		app, cause string
		args       []string
	}{
		{"hello:application", "", nil},
		{"hello:application", "", []string{"-D", "--bind", "127.0.0.1:1", "--workers", "9"}},
		{"hello:application", "Invalid value for -k: 'fibers': ", []string{"-k", "fibers"}},
		{"unloadable:application", "RuntimeError: the database is on fire", nil},
		{"hello:missing", "Failed to find attribute 'missing' in 'wsgi'.", nil},
	} {
		o := checkConfig(t, "--check-config", c.app, c.args...)
		if c.cause == "" {
			if o != (outcome{}) {
				t.Errorf("%s %v: %+v", c.app, c.args, o)
			}
		} else if o.code != 1 || !strings.Contains(o.stderr, c.cause) || o.stdout != "" {
			t.Errorf("%s %v: %+v, want %s", c.app, c.args, o, c.cause)
		}
	}
}

// What the config file has started ends with the check.
func TestCheckConfigLeavesNothing(t *testing.T) {
	t.Parallel()
	notes := filepath.Join(t.TempDir(), "notes")
	config := filepath.Join(t.TempDir(), "gunicorn.conf.py")
	text := fmt.Sprintf(`
import multiprocessing
manager = multiprocessing.Manager()
open(%q, "w").write(str(manager._process.pid))
`, notes)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if o := checkConfig(t, "--check-config", "hello:application", "-c", config); o != (outcome{}) {
		t.Errorf("%+v", o)
	}
	manager, err := strconv.Atoi(contentOf(notes))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the manager ends", func() bool { return !alive(manager) })
}

// Certificates that do not work are mistakes of the configuration, too.
func TestCheckConfigReadsCertificates(t *testing.T) {
	t.Parallel()
	o := checkConfig(t, "--check-config", "hello:application", "--certfile", "/nosuch/cert.pem")
	if o.code != 1 || !strings.Contains(o.stderr, "invalid value for certfile: open /nosuch/cert.pem: no such file") {
		t.Errorf("%+v", o)
	}
}

// What is printed says where each value comes from.
func TestPrintConfig(t *testing.T) {
	t.Parallel()
	o := checkConfig(t, "--print-config", "hello:application", "-w", "3", "-e", "A=\"1\"")
	for _, want := range []string{"workers = 3  ", "\nraw_env = ['A=\"1\"']  ", "\ntimeout = 30  ", "  # the default\n",
		"  # the command line\n"} {
		if o.code != 0 || o.stderr != "" || !strings.Contains(o.stdout, want) {
			t.Errorf("%+v, want %q", o, want)
		}
	}
	o = checkConfig(t, "--print-config", "unloadable:application")
	if o.code != 1 || !strings.Contains(o.stdout, "workers = 1") {
		t.Errorf("with an application that does not load: %+v", o)
	}
}

// What a new user gets wrong ends in a line that says what to do.
func TestMistakesOfNewUsers(t *testing.T) {
	t.Parallel()
	folder := applicationFolder(t, "hello")
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"module", []string{"--python", interpreter, "--chdir", folder, "nosuch"},
			"ModuleNotFoundError: No module named 'nosuch' (looked in '" + folder + "' and in Python "},
		{"attribute", []string{"--python", interpreter, "--chdir", folder, "wsgi:app"},
			"Failed to find attribute 'app' in 'wsgi'. Did you mean wsgi:application?"},
		{"setting", []string{"--wrokers", "3", "wsgi"}, "pyhost: unknown option --wrokers; did you mean --workers?"},
		{"environment", []string{"--python", "./venv", "wsgi"},
			"Invalid value for --python: './venv': no such file or directory"},
	} {
		o := run(t, nil, append([]string{"--check-config"}, c.args...)...)
		if o.code == 0 || !strings.Contains(o.stderr, c.want) || strings.Contains(o.stderr, "importlib") {
			t.Errorf("%s: %+v, want %s", c.name, o, c.want)
		}
	}
}
