package arbiter

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"golang.org/x/sys/unix"
)

// Run is the life of the master: it returns when everything that it started has ended. The exit code is 0 after an
// ordered stop, 1 when it could not start, wire.ExitBootError or wire.ExitAppLoad when the first workers could not
// load the application. It takes over the signals and the children of the process: call it once, from the main
// program.
func Run(options Options) int {
	a, err := prepare(&options)
	if err != nil {
		options.Log.Error("Error: %s", err)
		return exitError
	}
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, handledSignals...)
	defer signal.Stop(signals)
	// One pending SIGCHLD is enough: reaping goes on until there is nothing to reap.
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	defer signal.Stop(children)

	system := newSystem(options, a.board)
	defer system.close()
	a.env = system
	if err := a.start(); err != nil {
		options.Log.Error("Error: %s", err)
		return exitError
	}
	a.loop(system.events, signals, children)
	return a.exitCode
}

// prepare makes this process fit to be a master, and the arbiter that will run in it.
func prepare(options *Options) (*arbiter, error) {
	if err := checkConfig(options.Config); err != nil {
		return nil, err
	}
	if p := options.Prepared; p != nil {
		options.Library, options.Executable = p.library, p.executable
	}
	// Before anything reaps children: Resolve may run the interpreter and wait for it.
	if options.Library == "" && options.Resolve != nil {
		var err error
		if options.Library, options.Executable, err = options.Resolve(options.Config); err != nil {
			return nil, err
		}
	}
	if options.Library == "" {
		return nil, errors.New("no libpython: neither a path nor a way to find one was given")
	}
	// A log on a closed pipe must not kill the master: Go ends a program that writes to a broken stderr, unless told.
	signal.Ignore(unix.SIGPIPE)
	// Workers whose forkserver has gone become children of the master, which goes on to reap them.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("becoming the reaper of orphaned workers: %w", err)
	}
	board, err := scoreboard.Create()
	if err != nil {
		return nil, err
	}
	return newArbiter(*options, board), nil
}

// checkConfig refuses what the master cannot do, whatever the workers make of it.
func checkConfig(cfg *config.Config) error {
	if cfg.Workers > MaxWorkers {
		return fmt.Errorf("invalid value for workers: %d; one master runs at most %d", cfg.Workers, MaxWorkers)
	}
	if cfg.MaxWorkers > MaxWorkers {
		return fmt.Errorf("invalid value for max_workers: %d; one master runs at most %d", cfg.MaxWorkers, MaxWorkers)
	}
	return checkOwner(cfg)
}

// loop runs until nothing is left to supervise. It is the only goroutine that touches a.
func (a *arbiter) loop(events <-chan event, signals, children <-chan os.Signal) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		a.advance()
		if a.phase == ended {
			return
		}
		timer.Stop()
		if a.wake > 0 {
			timer.Reset(a.wake - a.env.now())
		}
		select {
		case e := <-events:
			e.apply(a)
		case s := <-signals:
			a.signal(s)
		case <-children:
			a.log.Debug("Handling signal: chld")
			a.reap()
		case <-timer.C:
		}
	}
}
