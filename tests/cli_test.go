package tests

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// outcome is how a command that does not serve ended.
type outcome struct {
	code           int
	stdout, stderr string
}

// run executes the binary until it ends by itself.
func run(t *testing.T, env []string, args ...string) outcome {
	t.Helper()
	return runWith(t, nil, env, args...)
}

// runAs does it as another user, with no privileges.
func runAs(t *testing.T, uid uint32, args ...string) outcome {
	t.Helper()
	return runWith(t, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}, nil, args...)
}

func runWith(t *testing.T, attributes *syscall.SysProcAttr, env []string, args ...string) outcome {
	t.Helper()
	directory := t.TempDir()
	if attributes != nil {
		directory = "/" // the other is the suite's alone
	}
	return runAt(t, directory, attributes, env, args...)
}

// binaryFor is a copy of the binary if another user is to run it: a source tree in /root is closed to everybody else.
func binaryFor(t *testing.T, attributes *syscall.SysProcAttr) string {
	t.Helper()
	if attributes == nil || attributes.Credential == nil {
		return binary
	}
	directory := shortDir(t)
	if err := os.Chmod(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(directory, "pyhost")
	// Not by this process: a file that it has open for writing, or a child that it forks meanwhile, cannot be executed.
	if output, err := exec.Command("cp", binary, path).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, output)
	}
	return path
}

// runAt does it in a directory.
func runAt(t *testing.T, directory string, attributes *syscall.SysProcAttr, env []string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	// Files, because a daemon may keep its output open for longer than the command lives.
	outPath, errPath := filepath.Join(t.TempDir(), "stdout"), filepath.Join(t.TempDir(), "stderr")
	command := exec.CommandContext(ctx, binaryFor(t, attributes), args...)
	command.Dir, command.SysProcAttr = directory, attributes
	command.Env = append(baseEnvironment(command.Dir), env...)
	command.Stdout, command.Stderr = openAppending(t, outPath), openAppending(t, errPath)
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%v: %v %v\n%s", args, err, ctx.Err(), contentOf(errPath))
	}
	return outcome{command.ProcessState.ExitCode(), contentOf(outPath), contentOf(errPath)}
}

func TestVersionFlag(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--version", "-v"} {
		if o := run(t, nil, flag); o.code != 0 || o.stdout != "pyhost (version 0.1.0)\n" {
			t.Errorf("%s: %+v", flag, o)
		}
	}
}

func TestHelpFlag(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--help", "-h"} {
		o := run(t, nil, flag)
		for _, text := range []string{"[APP_MODULE]", "--bind", "-w", "--workers", "--worker-class", "--python"} {
			if o.code != 0 || !strings.Contains(o.stdout, text) {
				t.Errorf("%s: exit code %d; %q is missing in the help", flag, o.code, text)
			}
		}
	}
}

// Mistakes on the command line are told before anything starts, with what was probably meant.
func TestCommandLineMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args  []string
		env   string
		code  int
		texts []string
	}{
		{[]string{"--wrokers", "2", "wsgi"}, "", 2, []string{"--wrokers", "--workers"}},
		{[]string{"--timout=3", "wsgi"}, "", 2, []string{"--timout", "--timeout"}},
		{[]string{"wsgi", "--bind"}, "", 2, []string{"bind"}},
		{[]string{"--workers", "many", "wsgi"}, "", 1, []string{"Invalid value for --workers: 'many'"}},
		{[]string{"--workers", "-1", "wsgi"}, "", 1, []string{"Invalid value for --workers: '-1'"}},
		{[]string{"-k", "fibers", "wsgi"}, "", 1, []string{"Invalid value for -k: 'fibers'"}},
		{[]string{"--bind", "127.0.0.1:notaport", "wsgi"}, "", 1, []string{"notaport"}},
		{[]string{"--chdir", "/no/such/directory", "wsgi"}, "", 1, []string{"/no/such/directory"}},
		{[]string{}, "", 1, []string{"No application module specified."}},
		{[]string{"wsgi"}, "GUNICORN_CMD_ARGS=--wrokers 3", 2, []string{"--wrokers", "--workers"}},
		{[]string{"--python", "/no/such/python", "wsgi"}, "", 1, []string{"/no/such/python"}},
	} {
		o := run(t, []string{c.env}, c.args...)
		if o.code != c.code {
			t.Errorf("%v: exit code %d, want %d\n%s", c.args, o.code, c.code, o.stderr)
		}
		for _, text := range c.texts {
			if !strings.Contains(o.stderr, text) {
				t.Errorf("%v: standard error lacks %q: %s", c.args, text, o.stderr)
			}
		}
		if strings.Contains(o.stderr, "goroutine ") || strings.Contains(o.stderr, "Traceback") {
			t.Errorf("%v: %s", c.args, o.stderr)
		}
	}
}

// $GUNICORN_CMD_ARGS is read before the command line, which wins.
func TestArgumentsFromTheEnvironment(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "process", Kind: kind,
			Env: []string{"GUNICORN_CMD_ARGS=--workers 7 --env 'MARK=from the environment'"}})
		if report := s.process(); report.Environment != "from the environment" {
			t.Errorf("MARK is %q", report.Environment)
		}
		s.WaitWorkers(1)
	})
}

func TestEnvironmentVariables(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		port := freePort(t)
		args := []string{"--python", interpreter, "--chdir", applicationFolder(t, "process"), "wsgi"}
		s := Start(t, Options{Kind: kind, Workers: 2, Quiet: true, Args: append(args, kind.Args...),
			Env: []string{"PORT=" + port, "WEB_CONCURRENCY=2"}})
		if len(s.Addresses) != 1 || s.Addresses[0] != "0.0.0.0:"+port {
			t.Errorf("listening at %v", s.Addresses)
		}
		if report := s.process(); report.Directory != applicationFolder(t, "process") {
			t.Errorf("running in %s", report.Directory)
		}
	})
}

func TestEnvFlag(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "process", Kind: kind, Args: []string{"-e", "MARK=a=b", "--env", "OTHER=1"}})
		if report := s.process(); report.Environment != "a=b" {
			t.Errorf("MARK is %q", report.Environment)
		}
	})
}

func TestPythonPath(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Dir: t.TempDir(), Kind: kind,
			Args: []string{"--pythonpath", "/nowhere," + applicationFolder(t, "hello")}})
		s.Get("/").Want(t, 200, "Hello, world!\n")
	})
}
