package workers

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/logging"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/wire"
	"github.com/pyhost/pyhost/wsgi"
)

// fds that come with a wire.WorkerBoot, in this order.
const (
	fdControl = iota
	fdScoreboard
	fdReceive
	fdSend
	fdListeners
)

// Run is a worker's life, from the fork to the end of the process. It must be called on the main goroutine, which is
// locked to the process's first thread, and returns the exit code: 0, or 3 or 4 when the application does not load.
func Run() int {
	boot := new(wire.WorkerBoot)
	if err := json.Unmarshal(embedpy.WorkerBoot(), boot); err != nil {
		fmt.Fprintf(os.Stderr, "pyhost: a worker cannot read its boot message: %v\n", err)
		return wire.ExitBootError
	}
	log, err := logging.New(boot.Config)
	if err != nil {
		fmt.Fprintf(os.Stderr, "pyhost: %v\n", err)
		return wire.ExitBootError
	}
	log.SetWorker(boot.Slot + 1)
	if fd := embedpy.WorkerFD(fdListeners + len(boot.Listeners)); fd >= 0 { // settings ask for Python's logging
		log.ToPython(fd)
	}
	if boot.Config.CaptureOutput {
		err = log.Capture()
	}
	if err != nil {
		log.Warning("Output is not captured: %v", err)
	}
	code, err := run(boot, log)
	if err != nil {
		log.Error("Exception in worker process\n%v", err)
		return wire.ExitBootError
	}
	return code
}

func run(boot *wire.WorkerBoot, log *logging.Logger) (int, error) {
	embedpy.SetTitle("pyhost: worker [" + boot.Config.Name() + "]")
	log.Info("Booting worker with pid: %d", os.Getpid())
	access, err := logging.NewAccess(boot.Config, log)
	if err != nil {
		return 0, err
	}
	control, err := openControl(embedpy.WorkerFD(fdControl))
	if err != nil {
		return 0, err
	}
	board, err := scoreboard.Open(embedpy.WorkerFD(fdScoreboard))
	if err != nil {
		return 0, err
	}
	defer runtime.KeepAlive(board) // its file closes the descriptor when it is collected
	slot := board.Slot(boot.Slot)
	slot.SetPID(os.Getpid())
	slot.SetState(scoreboard.Booting)
	fds := make([]int, len(boot.Listeners))
	for i := range fds {
		fds[i] = embedpy.WorkerFD(fdListeners + i)
		unix.CloseOnExec(fds[i])
	}
	w, err := newWorker(boot, embedded{}, log, access, slot, fds)
	if err != nil {
		return 0, err
	}
	w.board, w.control = board, control
	w.handover = newHandover(w, embedpy.WorkerFD(fdReceive), embedpy.WorkerFD(fdSend))
	slot.SetCrew(boot.Generation, w.threads)
	return w.live(boot, control)
}

// live imports the application, serves, and drains.
func (w *worker) live(boot *wire.WorkerBoot, control *net.UnixConn) (int, error) {
	if err := w.openNotes(); err != nil { // a signal may run a hook at once
		return 0, err
	}
	signals, err := w.watchSignals(control)
	if err != nil {
		return 0, err
	}
	booted := w.limitBoot(time.Duration(boot.Config.BootTimeout) * time.Second)
	failure := embedpy.Boot(wsgi.Keys, w.log.Fd(), signals.wakeFD, w.notes.python, w.threads)
	if failure != nil || len(boot.Config.WarmupURL) == 0 {
		booted()
	}
	if failure != nil {
		w.tellFailure(failure)
		w.notes.finish()
		w.sayExit()
		return failure.Code, nil
	}
	w.spooling.warn(w.log)
	embedpy.SetOutput(w.timeouts.write, w.spooling.dir, boot.Config.SpoolResponseLimit)
	stop := make(chan struct{})
	if err := w.serve(boot.Config, stop, booted); err != nil {
		return 0, err
	}
	close(stop)
	w.finalize(time.Duration(boot.Config.GracefulTimeout) * time.Second)
	w.leave(0)
	return 0, nil
}

// maxTraceback bounds what is sent of a traceback, in bytes: a message of package wire has 1 MiB, after its escaping.
const maxTraceback = 64 << 10

// tellFailure leaves the log to the master, which hears the same from each worker; one that is gone logs nothing.
func (w *worker) tellFailure(failure *embedpy.BootError) {
	event := &wire.Event{
		Event: wire.EventFailed, Code: failure.Code,
		Error: ending(failure.Cause, maxTraceback), Traceback: ending(failure.Traceback, maxTraceback),
	}
	if err := w.tell(event); err != nil {
		w.log.Error("Exception in worker process\n%s", strings.TrimRight(failure.Traceback, "\n"))
	}
}

// ending is the end of a text, where the cause stands, in at most so many bytes.
func ending(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return "...\n" + strings.ToValidUTF8(text[len(text)-most:], "")
}

// serve runs the Python threads, the main one in here, until the worker has drained. It calls booted when nothing is
// left to boot.
func (w *worker) serve(c *config.Config, stop chan struct{}, booted func()) error {
	watch, err := newWatch(w, time.Duration(c.RequestTimeout)*time.Second)
	if err != nil {
		return err
	}
	go watch.run()
	if err := w.startShepherd(); err != nil {
		return err
	}
	// Each thread in the application may hold a P until the scheduler takes it back; the lane must run meanwhile.
	runtime.GOMAXPROCS(max(runtime.NumCPU(), min(w.threads, 8)+1))
	w.slot.Beat(scoreboard.Now())
	if w.threads > 1 {
		w.threadsDone.Add(w.threads - 1)
		err := embedpy.StartThreads(func(index int) {
			defer w.threadsDone.Done()
			newThread(w, index).run()
		})
		if err != nil {
			return err
		}
		go (&heartbeat{w}).run(stop)
	} else {
		embedpy.ReleaseGIL(0)
	}
	go w.reap(stop)
	if len(c.WarmupURL) > 0 {
		go func() {
			proven := w.prove(c.WarmupURL)
			booted()
			if err := w.open(proven); err != nil {
				w.log.Error("Exception in worker process\n%v", err)
				w.leave(wire.ExitBootError)
			}
		}()
	} else if err := w.open(true); err != nil {
		return err
	}
	newThread(w, 0).run()
	return nil
}

// open makes the worker ready, or ends it if it has not proven itself.
func (w *worker) open(proven bool) error {
	if !proven {
		w.leave(wire.ExitBootError)
		return nil
	}
	// First, so that whoever gets an answer from this worker also finds it ready.
	w.slot.SetState(scoreboard.Ready)
	if w.draining.Load() { // told to stop while it booted
		w.slot.SetState(scoreboard.Draining)
	}
	if err := w.startAccepting(); err != nil {
		return fmt.Errorf("adding the listeners to the poller: %w", err)
	}
	_ = w.tell(&wire.Event{Event: wire.EventReady}) // a master that is gone is noticed by the reader
	return nil
}
