package tests

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Options says how to start one server. The zero value of each field is what most tests want.
type Options struct {
	App     string   // folder of ../pyapps, optionally ":" and the rest of the spec after "wsgi:" (default "application")
	Module  string   // whole application spec, instead of "wsgi:<attribute>"
	Dir     string   // directory to serve instead of ../pyapps/<folder of App>
	Kind    Kind     // worker class and threads
	Workers int      // number of workers; 0 means 1
	Bind    []string // bind addresses; empty means 127.0.0.1:0
	Args    []string // further command line arguments
	Env     []string // further environment, "K=V"
	Cold    bool     // return at once, do not wait until the server serves; for servers that are expected to fail
	Program string   // what is started instead of the binary, and becomes it
	Quiet   bool     // no -w, no --bind, no application: nothing but Args (command line tests)

	// Through is a command, with its first arguments, that executes the server in its own place; empty means none.
	Through []string

	// Files are inherited by the server as descriptors 3, 4, ... (systemd, fd://).
	Files []*os.File
}

// Kind is a worker class with its number of threads.
type Kind struct {
	Name string
	Args []string
	// Threads is how many requests one worker runs at once.
	Threads int
}

var (
	syncKind    = Kind{Name: "sync", Args: []string{"-k", "sync"}, Threads: 1}
	gthreadKind = Kind{Name: "gthread", Args: []string{"-k", "gthread", "--threads", "4"}, Threads: 4}
)

// forEachWorkerKind runs a test once with each worker class that pyhost has, in parallel.
func forEachWorkerKind(t *testing.T, test func(t *testing.T, kind Kind)) {
	t.Helper()
	t.Parallel()
	for _, kind := range []Kind{syncKind, gthreadKind} {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			test(t, kind)
		})
	}
}

func (o *Options) workers() int {
	return max(o.Workers, 1)
}

// arguments is the command line without the program's name.
func (o *Options) arguments(t *testing.T) []string {
	t.Helper()
	if o.Quiet {
		return o.Args
	}
	folder, attribute, found := strings.Cut(o.App, ":")
	if !found {
		attribute = "application"
	}
	directory := o.Dir
	if directory == "" {
		directory = applicationFolder(t, folder)
	}
	args := []string{"--python", interpreter, "--chdir", directory, "-w", strconv.Itoa(o.workers())}
	bind := o.Bind
	if len(bind) == 0 && len(o.Files) == 0 {
		bind = []string{"127.0.0.1:0"}
	}
	for _, address := range bind {
		args = append(args, "--bind", address)
	}
	args = append(args, o.Kind.Args...)
	args = append(args, o.Args...)
	if o.Module != "" {
		return append(args, o.Module)
	}
	return append(args, "wsgi:"+attribute)
}

// applicationFolder is the absolute path of ../pyapps/<name>.
func applicationFolder(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "pyapps", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// shortDir is a temporary directory whose path leaves room for a unix socket's name (108 bytes in all).
func shortDir(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("", "pyhost")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	return directory
}
