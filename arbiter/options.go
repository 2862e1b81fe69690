// Package arbiter is the master process: it holds the listening sockets and keeps the wanted number of healthy workers
// behind them. It never runs Python and never touches a client's connection.
//
// A generation is one forkserver and the workers that it forked. A reload boots a new generation beside the serving
// one and retires the old one when every new worker is ready; whatever goes wrong before that leaves the old one
// serving.
//
// One goroutine owns all state (arbiter.loop). Everything else, signals, the sockets of forkservers and workers, the
// reading of a new configuration, sends it events; every touch of the operating system goes through env.
package arbiter

import (
	"github.com/pyhost/pyhost/config"
)

// MaxWorkers is the largest number of workers of one generation: a reload needs as many scoreboard slots again.
const MaxWorkers = 512

// Log is where the master writes; *logging.Logger is one. Its methods are called from one goroutine.
type Log interface {
	Debug(format string, args ...any)
	Info(format string, args ...any)
	Warning(format string, args ...any)
	Error(format string, args ...any)
	Critical(format string, args ...any)
	// Reopen opens the log file again after it was renamed (SIGUSR1, SIGHUP).
	Reopen() error
}

// Options is all that a master needs to run. Config, Log and Program must be set, and Library or Resolve.
type Options struct {
	// Config is the configuration of the first generation.
	Config *config.Config
	// Prepared is the forkserver that has evaluated the Python config file of Config; nil = there is no such file.
	Prepared *Prepared
	// Reload reads the configuration again, for SIGHUP, with a new forkserver if there is a Python config file. It runs
	// on a goroutine of its own, one call at a time; an error is logged and changes nothing. Nil keeps Config.
	Reload func() (*config.Config, *Prepared, error)
	// Resolve finds the libpython and the interpreter that a configuration asks for. It is called after each Reload that
	// gives no Prepared, on the same goroutine, and may start processes. Nil keeps Library and Executable.
	Resolve func(*config.Config) (library, executable string, err error)
	// Library is the path of libpython and Executable the one of the interpreter (Py_SetProgramName). An empty Library
	// is resolved at start.
	Library, Executable string
	// Program is the Python source of the forkserver. It is called for each one, on any goroutine, while that starts: it
	// takes its time, and what it gives is not kept.
	Program func() []byte
	// Argv is the command line of the master, handed on to the forkserver, and with which SIGUSR2 starts a new master:
	// the program that is at Binary then, in Directory. Both are absolute paths.
	Argv              []string
	Binary, Directory string
	// SetTitle sets the title of this process. Nil leaves it.
	SetTitle func(string)
	// ChangeLog has Log take over the settings of a reload, and tells whether they are others. Nil keeps those of the
	// start.
	ChangeLog func(*config.Config) (bool, error)
	// Ready is called once, when the first workers are ready. Nil tells nobody.
	Ready func()
	// Settled is called each time a generation has taken over: the master has nothing to do for a while, and may give
	// back what it needed to get there. Nil does nothing.
	Settled func()
	// Workers is told how many workers are wanted, each time that it changes. Nil tells nobody.
	Workers func(number int)
	// Backlog is told each second how many connections wait to be accepted, with the setting enable_backlog_metric. Nil
	// tells nobody.
	Backlog func(number int)
	Log     Log
}

// Exit codes of Run beside wire.ExitBootError and wire.ExitAppLoad; gunicorn's.
const (
	exitOK    = 0
	exitError = 1
)
