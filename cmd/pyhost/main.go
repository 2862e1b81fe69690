// Command pyhost serves Python WSGI applications. It is gunicorn's command line on a Go master with pre-forked workers
// that embed CPython; see docs/architecture.md.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/pyhost/pyhost/arbiter"
	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/embedpy/libpython"
	"github.com/pyhost/pyhost/logging"
	"github.com/pyhost/pyhost/workers"
)

// Exit codes for mistakes on the command line; gunicorn's.
const (
	exitError = 1
	exitUsage = 2
)

// main decides which role this process plays. A forkserver never gets here: it lives in embedpy's constructor, before
// Go.
func main() {
	if embedpy.IsWorker() {
		os.Exit(workers.Run())
	}
	if arbiter.Herald() {
		return
	}
	os.Exit(master(os.Args[1:]))
}

// master reads the configuration and supervises until the end. It returns the exit code.
func master(args []string) int {
	upgrading := arbiter.Upgrading()
	ready := becomeDaemon() // before a Python config file starts a forkserver, which would inherit what it takes away
	directory, err := os.Getwd()
	if err != nil {
		fmt.Fprintf(os.Stderr, "Error: finding the current directory: %v\n", err)
		return exitError
	}
	binary := binaryPath(os.Args[0], directory)
	settings := configuration{args, directory}
	c, prepared, err := settings.read(0)
	if err != nil {
		return explain(err)
	}
	if c.Daemon && ready == nil && !upgrading && !c.CheckConfig && !c.PrintConfig {
		prepared.Discard() // the daemon reads everything anew
		return detach(c)
	}
	// Relative paths of logs, the pid file and unix sockets count from here, as in gunicorn.
	if err := os.Chdir(c.Chdir); err != nil {
		fmt.Fprintf(os.Stderr, "Error: changing to the directory of --chdir: %v\n", err)
		return exitError
	}
	log, err := logging.New(c)
	if err != nil {
		fmt.Fprintf(os.Stderr, "Error: %v\n", err)
		return exitError
	}
	for _, warning := range c.Warnings {
		log.Warning("%s", warning)
	}
	run := arbiter.Run
	if c.CheckConfig || c.PrintConfig {
		run = arbiter.Check
	}
	if c.PrintConfig {
		fmt.Print(c.Dump())
	}
	defer log.Close(time.Second)
	return run(arbiter.Options{
		Config:    c,
		Prepared:  prepared,
		Reload:    func() (*config.Config, *arbiter.Prepared, error) { return settings.read(reloadLimit) },
		Resolve:   resolve,
		Program:   program,
		Argv:      os.Args,
		Binary:    binary,
		Directory: directory,
		SetTitle:  embedpy.SetTitle,
		ChangeLog: log.Change,
		Settled:   settle,
		Ready:     ready,
		Workers:   log.Workers,
		Backlog:   log.Backlog,
		Log:       log,
	})
}

// checkAccessLog opens what the workers will open, so that a mistake is told before anything starts. They will be in
// the directory of --chdir by then, where this process is not yet, or no longer: a reload may change it.
func checkAccessLog(c *config.Config) error {
	format := logging.AccessFormat(c)
	if err := logging.CheckFormat(format); err != nil {
		return &startError{err}
	}
	access, err := logging.OpenAccess(c.InChdir(c.AccessLog), format)
	if err != nil {
		return &startError{err}
	}
	return access.Close()
}

// startError is why nothing can be started, though the configuration is right as such.
type startError struct{ error }

func (e *startError) Unwrap() error { return e.error }

// explain tells why there is no configuration to run with; help and version are reasons too.
func explain(err error) int {
	var usage *config.UsageError
	var completions *config.CompletionsRequest
	var file *arbiter.FileError
	var start *startError
	switch {
	case errors.Is(err, config.ErrHelp):
		fmt.Print(config.Help())
		return 0
	case errors.Is(err, config.ErrVersion):
		fmt.Printf("pyhost (version %s)\n", config.Version)
		return 0
	case errors.As(err, &completions):
		fmt.Print(config.Completions(completions.Shell))
		return 0
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, err)
		return exitUsage
	case errors.As(err, &file):
		fmt.Fprintln(os.Stderr, "Error: "+strings.TrimRight(err.Error(), "\n"))
		return file.Code
	case errors.As(err, &start):
		fmt.Fprintln(os.Stderr, "Error:", err)
		return exitError
	}
	fmt.Fprintln(os.Stderr, err)
	return exitError
}

// settle gives back the memory that starting took; from now on the master mostly sleeps.
func settle() {
	debug.FreeOSMemory()
	embedpy.TrimResident()
}

// resolve finds the Python to embed.
func resolve(c *config.Config) (library, executable string, err error) {
	found, err := libpython.Locate(c.Python, os.Getenv)
	return found.Path, found.Executable, err
}
