package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/pyhost/pyhost/config"
	"golang.org/x/sys/unix"
)

// The daemon setting (gunicorn's -D). A Go process cannot fork, so the command starts itself once more in a session of
// its own and waits for the outcome: it returns when the daemon's workers are ready, or with the daemon's exit code.

// envDaemon holds the number of the descriptor on which the daemon says that it is ready.
const envDaemon = "_PYHOST_DAEMON"

// daemonUmask is what gunicorn's daemons begin with.
const daemonUmask = 0o22

// detach starts the daemon and returns the exit code of the command.
func detach(c *config.Config) int {
	reader, writer, err := os.Pipe()
	if err != nil {
		return complain("starting the daemon: %v", err)
	}
	defer reader.Close()
	daemon, err := startDaemon(c, writer)
	_ = writer.Close()
	if err != nil {
		return complain("starting the daemon: %v", err)
	}
	if c.ErrorLog == "-" && !c.EnableStdioInheritance {
		fmt.Fprintln(os.Stderr, "pyhost: the daemon's log goes nowhere; give it a file with --error-logfile")
	}
	// Whoever interrupts the command does not want the daemon either.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, unix.SIGINT, unix.SIGTERM)
	go func() {
		for range interrupts {
			_ = daemon.Process.Signal(unix.SIGTERM)
		}
	}()
	if n, _ := reader.Read(make([]byte, 1)); n == 1 {
		return 0
	}
	err = daemon.Wait()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() > 0 {
		where := "its log says why: " + c.ErrorLog
		if c.ErrorLog == "-" {
			where = "without -D it says why"
		}
		complain("the daemon could not start; %s", where)
		return ended.ExitCode()
	}
	return complain("the daemon ended before it was ready: %v", daemon.ProcessState)
}

// startDaemon starts this program again, detached from the terminal. It gets the writing end of a pipe at a number that
// no descriptor has which somebody passed on to this process.
func startDaemon(c *config.Config, ready *os.File) (*exec.Cmd, error) {
	fd := ready.Fd()
	if _, err := unix.FcntlInt(fd, unix.F_SETFD, 0); err != nil {
		return nil, err
	}
	daemon := exec.Command("/proc/self/exe")
	daemon.Args = os.Args
	daemon.Env = append(os.Environ(), envDaemon+"="+strconv.Itoa(int(fd)))
	daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if c.EnableStdioInheritance {
		daemon.Stdout, daemon.Stderr = unlessTerminal(os.Stdout), unlessTerminal(os.Stderr)
	}
	return daemon, daemon.Start()
}

// unlessTerminal is f, or nil, which becomes /dev/null, if it is a terminal: a daemon has none.
func unlessTerminal(f *os.File) *os.File {
	if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err == nil {
		return nil
	}
	return f
}

// becomeDaemon prepares the process that detach has started. What it returns tells the command that the workers are
// ready; it is nil if this process is not the daemon.
func becomeDaemon() (ready func()) {
	fd, err := strconv.Atoi(os.Getenv(envDaemon))
	if err != nil {
		return nil
	}
	_ = os.Unsetenv(envDaemon) // not for the application, nor for another pyhost that it starts
	unix.CloseOnExec(fd)
	unix.Umask(daemonUmask)
	return func() {
		_, _ = unix.Write(fd, []byte{1}) // a command that was killed does not hear it
		_ = unix.Close(fd)
	}
}

// complain writes one line for the user and returns the exit code that goes with it.
func complain(format string, args ...any) int {
	fmt.Fprintf(os.Stderr, "Error: "+format+"\n", args...)
	return exitError
}
