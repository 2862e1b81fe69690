package workers

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/workers/wire"
)

// openControl makes the inherited control socket a connection.
func openControl(fd int) (*net.UnixConn, error) {
	f := os.NewFile(uintptr(fd), "control")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("opening the control socket: %w", err)
	}
	conn, ok := c.(*net.UnixConn)
	if !ok {
		return nil, fmt.Errorf("the control socket is a %T", c)
	}
	return conn, nil
}

// signals is what the worker does about signals.
type signals struct {
	wakeFD int // Python writes a byte here when one of its signal handlers is due
}

// watchSignals starts the goroutines that obey the master: signals as gunicorn's workers understand them, and the
// control socket, whose end means that the master is gone. It must come before the application is imported: what the
// application sets with signal.signal then holds.
func (w *worker) watchSignals(control *net.UnixConn) (*signals, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("creating the signal pipe: %w", err)
	}
	wake, err := unix.FcntlInt(write.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("creating the signal pipe: %w", err)
	}
	write.Close()
	if err := unix.SetNonblock(wake, true); err != nil { // required by signal.set_wakeup_fd
		return nil, fmt.Errorf("creating the signal pipe: %w", err)
	}
	signal.Ignore(syscall.SIGPIPE, syscall.SIGXFSZ, syscall.SIGWINCH, syscall.SIGTTIN, syscall.SIGTTOU)
	received := make(chan os.Signal, 64)
	signal.Notify(received, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGABRT,
		syscall.SIGHUP, syscall.SIGUSR2)
	go w.obeySignals(received)
	go w.obeyControl(control)
	go w.wakeForPython(read)
	return &signals{wakeFD: wake}, nil
}

func (w *worker) obeySignals(received <-chan os.Signal) {
	for s := range received {
		switch s {
		case syscall.SIGTERM:
			time.AfterFunc(masterGrace, w.terminate)
		case syscall.SIGINT, syscall.SIGQUIT:
			w.stop(false)
		case syscall.SIGUSR1:
			w.reopenLogs()
		case syscall.SIGABRT:
			go w.abort() // the arbiter's verdict on a silent worker
		case syscall.SIGHUP, syscall.SIGUSR2:
			// For the master. gunicorn's workers die of them, so that `pkill -HUP` is an outage there.
			w.log.Info("Ignoring %s: it is for the master", strings.ToLower(unix.SignalName(s.(syscall.Signal))))
		}
	}
}

// masterGrace is how long a worker that gets SIGTERM waits for word from the master. The signal may have gone to all
// processes of the server (systemd's default KillMode=control-group, dumb-init): then the master says when to stop, and
// until then somebody must take what comes.
const masterGrace = 200 * time.Millisecond

// terminate is SIGTERM to this worker alone.
func (w *worker) terminate() {
	if !w.parting.Load() {
		w.stop(true)
	}
}

func (w *worker) obeyControl(control *net.UnixConn) {
	reader := wire.NewReader(control)
	for {
		var command wire.Command
		if err := reader.Next(&command); err != nil {
			w.log.Info("Parent changed, shutting down: worker %d", w.pid)
			w.stop(true)
			return
		}
		switch command.Command {
		case wire.CommandStop:
			w.stop(command.Graceful)
		case wire.CommandLeave:
			w.parting.Store(true)
		}
	}
}

// wakeForPython interrupts the main thread's wait, so that it runs the Python signal handlers that are due. A thread
// that is in the application notices by itself.
func (w *worker) wakeForPython(pipe *os.File) {
	buffer := make([]byte, 64)
	for {
		if n, err := pipe.Read(buffer); n == 0 || err != nil {
			return
		}
		w.signalsDue.Store(true)
		// SIGURG is Go's own, and harmless: it only ends epoll_wait. One that comes too early is made up for by the
		// next look at the worker's state, a second later.
		unix.Tgkill(w.pid, w.pid, unix.SIGURG)
	}
}

func (w *worker) reopenLogs() {
	if err := w.log.Reopen(); err != nil {
		w.log.Error("Reopening the error log: %v", err)
	}
	if err := w.access.Reopen(); err != nil {
		w.log.Error("Reopening the access log: %v", err)
	}
}
