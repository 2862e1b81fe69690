package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// writeFiles makes a directory with these files, as a user has his project.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	directory := t.TempDir()
	for name, content := range files {
		path := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

// runIn executes the binary in a directory until it ends by itself. The Python of the suite is $PYHOST_PYTHON's.
func runIn(t *testing.T, directory string, env []string, args ...string) outcome {
	t.Helper()
	env = append([]string{"PYTHONPATH=" + applicationFolder(t, "hello"), "PYHOST_PYTHON=" + interpreter}, env...)
	return runAt(t, directory, nil, env, args...)
}

const moduleWithSettings = `
from multiprocessing import cpu_count
workers = cpu_count() * 2 + 1 - cpu_count() * 2
threads = 3
`

// A Python file is found in the directory, or named in one of gunicorn's ways.
func TestPythonConfigFileIsFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file string
		args       []string
		env        string
		source     string
	}{
		{"default of gunicorn", "gunicorn.conf.py", nil, "", "gunicorn.conf.py"},
		{"default", "pyhost.conf.py", nil, "", "pyhost.conf.py"},
		{"path", "deploy/site.py", []string{"-c", "deploy/site.py"}, "", "deploy/site.py"},
		{"file:", "deploy/site.py", []string{"--config", "file:deploy/site.py"}, "", "file:deploy/site.py"},
		{"python:", "deploy/site.py", []string{"--config=python:deploy.site"}, "", "python:deploy.site"},
		{"environment", "site.conf.py", nil, "PYHOST_CONFIG=site.conf.py", "site.conf.py"},
		{"gunicorn's variable", "site.conf.py", nil, "GUNICORN_CMD_ARGS=-c site.conf.py", "site.conf.py"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			directory := writeFiles(t, map[string]string{c.file: moduleWithSettings})
			o := runIn(t, directory, []string{c.env}, append(c.args, "--print-config", "wsgi")...)
			values := printed(o)
			for name, want := range map[string]string{"workers": "1", "threads": "3", "timeout": "30"} {
				source := c.source
				if name == "timeout" {
					source = "the default"
				}
				if got := values[name]; o.code != 0 || got != [2]string{want, source} {
					t.Errorf("%s: %q, want %s from %s\n%s", name, got, want, source, o.stderr)
				}
			}
		})
	}
}

// printed is what --print-config says: value and source by name.
func printed(o outcome) map[string][2]string {
	values := map[string][2]string{}
	for line := range strings.Lines(o.stdout) {
		setting, source, found := strings.Cut(strings.TrimSpace(line), "  # ")
		name, value, assigned := strings.Cut(strings.TrimSpace(setting), " = ")
		if found && assigned {
			values[name] = [2]string{value, source}
		}
	}
	return values
}

// Each source beats those before it.
func TestPrecedenceOfSources(t *testing.T) {
	t.Parallel()
	sources := []struct{ source, env, arg string }{
		{source: "the default"},
		{source: "gunicorn.conf.py"},
		{source: "$GUNICORN_CMD_ARGS", env: "GUNICORN_CMD_ARGS=--timeout 32"},
		{source: "$PYHOST_CMD_ARGS", env: "PYHOST_CMD_ARGS=--timeout 33"},
		{source: "$PYHOST_TIMEOUT", env: "PYHOST_TIMEOUT=34"},
		{source: "the command line", arg: "--timeout=35"},
	}
	for last, strongest := range sources {
		t.Run(strongest.source, func(t *testing.T) {
			t.Parallel()
			files, env, args := map[string]string{}, []string{}, []string{"--print-config"}
			for i, s := range sources[:last+1] {
				if i == 1 {
					files["gunicorn.conf.py"] = "timeout = 31"
				}
				env, args = append(env, s.env), append(args, s.arg)
			}
			args = append(args[:1], strings.Fields(strings.Join(args[1:], " "))...)
			o := runIn(t, writeFiles(t, files), env, append(args, "wsgi")...)
			if got, want := printed(o)["timeout"], [2]string{fmt.Sprint(30 + last), strongest.source}; got != want {
				t.Errorf("timeout is %q, want %q\n%+v", got, want, o)
			}
		})
	}
}

// A file that cannot be used ends the start with its own traceback, or with the one line that explains it.
func TestBrokenPythonConfigFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, content string
		args          []string
		code          int
		want          string // of standard error; FILE is the file
		lines         int
	}{
		{"raises", "def f():\n    return {}['x']\nworkers = f()\n", nil, 1, "FILE\", line 2, in f\n", 0},
		{"syntax", "workers = = 2\n", nil, 1, "SyntaxError: invalid syntax\n", 0},
		{"import", "import no.such\n", nil, 1, "ModuleNotFoundError: No module named 'no'\n", 5},
		{"value", "workers = 'many'\n", nil, 1, "Invalid value for workers: 'many' (from gunicorn.conf.py): " +
			"must be a whole number of 0 or more\n", 1},
		{"type", "bind = object()\n", nil, 1,
			"Invalid value for bind: an object of type object is no value for a setting\n", 1},
		{"hook that is none", "post_fork = 3\n", nil, 1, "Invalid value for post_fork: it is not callable: 3\n", 1},
		{"arity", "def post_fork(server):\n    pass\n", nil, 1,
			"Invalid value for post_fork: it must take 2 arguments, not 1\n", 1},
		{"exit", "import sys\nsys.exit(7)\n", nil, 7, "the config file FILE called sys.exit(7)\n", 1},
		{"no file", "", []string{"-c", "other.py"}, 1,
			"Invalid value for config: 'other.py' (from the command line): no such file or directory\n", 1},
		{"no module", "", []string{"-c", "python:other.settings"}, 1, "ModuleNotFoundError: No module named 'other'\n", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			directory := writeFiles(t, map[string]string{"gunicorn.conf.py": c.content})
			o := runIn(t, directory, nil, append(c.args, "--bind", "127.0.0.1:0", "wsgi")...)
			want := strings.ReplaceAll(c.want, "FILE", filepath.Join(directory, "gunicorn.conf.py"))
			if o.code != c.code || !strings.HasSuffix(o.stderr, want) && !strings.Contains(o.stderr, want) {
				t.Errorf("%+v, want %d and %q", o, c.code, want)
			}
			if lines := strings.Count(o.stderr, "\n"); c.lines != 0 && lines != c.lines {
				t.Errorf("%d lines instead of %d:\n%s", lines, c.lines, o.stderr)
			}
			for _, ours := range []string{"<pyhost", "importlib", "goroutine "} {
				if strings.Contains(o.stderr, ours) {
					t.Errorf("%q in %s", ours, o.stderr)
				}
			}
		})
	}
}

// Helpers of any name are normal in a Python file; what is nearly a setting gives a warning.
func TestNearMissesInPythonConfigFile(t *testing.T) {
	t.Parallel()
	directory := writeFiles(t, map[string]string{"gunicorn.conf.py": `
import os
from os import path as worker_path

def worker(): pass
class Bind: pass
project = "shop"
_timeout = 4
here = os.getcwd()
Workers = 4
worker_clas = "gthread"
accesslogformat = "%(h)s"
`})
	s := Start(t, Options{Quiet: true, Env: []string{"PYTHONPATH=" + applicationFolder(t, "hello")},
		Args: []string{"--python", interpreter, "--chdir", directory, "-c", filepath.Join(directory, "gunicorn.conf.py"),
			"--bind", "127.0.0.1:0", "wsgi"}})
	for _, warning := range []string{`Workers is no setting; did you mean workers\?`,
		`worker_clas .*worker_class\?`, `accesslogformat .*access_log_format\?`} {
		s.Expect(`\[WARNING\] .*gunicorn\.conf\.py: the name ` + warning)
	}
	if count := strings.Count(s.Log(), "[WARNING]"); count != 3 {
		t.Errorf("%d warnings, want 3", count)
	}
	s.Get("/").Want(t, 200, "Hello, world!\n")
}

// SIGHUP runs the file again, in a new interpreter; a file that is broken then changes nothing.
func TestReloadOfPythonConfigFile(t *testing.T) {
	t.Parallel()
	directory := writeFiles(t, map[string]string{"gunicorn.conf.py": "import helper\nworkers = helper.count\n",
		"helper.py": "count = 2\n"})
	file := filepath.Join(directory, "gunicorn.conf.py")
	path := applicationFolder(t, "hello") + ":" + directory
	s := Start(t, Options{Quiet: true, Workers: 2, Env: []string{"PYTHONPATH=" + path},
		Args: []string{"--python", interpreter, "--chdir", directory, "-c", file, "--bind", "127.0.0.1:0", "wsgi"}})
	if err := os.WriteFile(filepath.Join(directory, "helper.py"), []byte("count = 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.Signal(syscall.SIGHUP)
	s.WaitLog("Reloaded", 1)
	s.WaitWorkers(3)
	kept := s.Workers()
	s.Expect(`helper\.py", line 1\n.*count = = 3`)
	s.Allow(`\[ERROR\]`)
	if err := os.WriteFile(filepath.Join(directory, "helper.py"), []byte("count = = 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.Signal(syscall.SIGHUP)
	s.WaitLog("SyntaxError", 1)
	s.Get("/").Want(t, 200, "Hello, world!\n")
	if got := s.Workers(); fmt.Sprint(got) != fmt.Sprint(kept) {
		t.Errorf("the workers are %v, were %v", got, kept)
	}
	s.forgetDescriptors()
}
