package arbiter

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

// The test binary plays every part of a real tree of processes: master, forkserver and worker. What goes wrong in it is
// told by the name of the application (config.App):
//
//	ok         serves its pid
//	raise      cannot be imported: exit code 3
//	missing    is not there: exit code 4
//	preload    cannot be imported by the forkserver
//	stuck      stops its heartbeat when a client has called, and ignores SIGABRT
//	stubborn   ignores SIGTERM and the graceful stop command
const (
	roleVariable   = "ARBITER_TEST_ROLE"
	configVariable = "ARBITER_TEST_CONFIG"
	workerVariable = "ARBITER_TEST_WORKER"
	testProgram    = "import os"
)

func TestMain(m *testing.M) {
	log.SetFlags(0)
	switch {
	case os.Getenv(wire.EnvForkserver) != "":
		os.Exit(playForkserver())
	case os.Getenv(roleVariable) == "master":
		os.Exit(playMaster())
	case os.Getenv(roleVariable) == "worker":
		os.Exit(playWorker())
	}
	os.Exit(m.Run())
}

func readTestConfig() (*config.Config, error) {
	text, err := os.ReadFile(os.Getenv(configVariable))
	if err != nil {
		return nil, err
	}
	cfg := new(config.Config)
	return cfg, json.Unmarshal(text, cfg)
}

func rereadTestConfig() (*config.Config, *Prepared, error) {
	cfg, err := readTestConfig()
	return cfg, nil, err
}

func playMaster() int {
	cfg, err := readTestConfig()
	if err != nil {
		log.Print(err)
		return 90
	}
	return Run(Options{
		Config: cfg, Reload: rereadTestConfig, Library: "lib", Executable: "python",
		Program: func() []byte { return []byte(testProgram) },
		Argv:    []string{"pyhost", cfg.App}, Log: stderrLog{},
	})
}

// stderrLog is a Log whose lines look like "INFO text".
type stderrLog struct{}

func (stderrLog) Debug(format string, args ...any)    { log.Printf("DEBUG "+format, args...) }
func (stderrLog) Info(format string, args ...any)     { log.Printf("INFO "+format, args...) }
func (stderrLog) Warning(format string, args ...any)  { log.Printf("WARNING "+format, args...) }
func (stderrLog) Error(format string, args ...any)    { log.Printf("ERROR "+format, args...) }
func (stderrLog) Critical(format string, args ...any) { log.Printf("CRITICAL "+format, args...) }
func (stderrLog) Reopen() error                       { log.Print("REOPEN"); return nil }

func inheritedConn(fd int) *net.UnixConn {
	file := os.NewFile(uintptr(fd), "inherited")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		log.Panicf("descriptor %d: %v", fd, err)
	}
	unix.CloseOnExec(fd)
	return conn.(*net.UnixConn)
}

// playForkserver obeys the real protocol; its workers are new processes instead of forks.
func playForkserver() int {
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGQUIT, unix.SIGWINCH)
	if len(os.Args[0]) < titleRoom || !strings.HasPrefix(os.Args[0], "pyhost: forkserver [") ||
		os.Getenv(wire.EnvLibPython) != "lib" || os.Getenv(wire.EnvProgram) != "python" {
		log.Printf("FORKSERVER started wrongly: %q", os.Args)
		return 91
	}
	f := &playedForkserver{conn: inheritedConn(wire.ForkserverFD)}
	if program := f.program(); program != testProgram {
		log.Printf("FORKSERVER got the program %q", program)
		return 92
	}
	for {
		var command wire.Command
		fds, err := f.next(&command)
		if err != nil {
			return 0
		}
		switch command.Command {
		case wire.CommandBoot:
			if command.Config.App == "preload" {
				f.send(wire.Event{Event: wire.EventFailed, Code: wire.ExitBootError, Error: "boom", Traceback: "tb"})
				return wire.ExitBootError
			}
			f.send(wire.Event{Event: wire.EventReady, Python: "3.11.7"})
		case wire.CommandFork:
			f.fork(command.Worker, fds)
		case wire.CommandExit:
			return 0
		}
	}
}

type playedForkserver struct {
	conn  *net.UnixConn
	rest  []byte // read, but not used yet
	fds   []int
	mutex sync.Mutex
}

func (f *playedForkserver) send(event wire.Event) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	_ = wire.Send(f.conn, event)
}

func (f *playedForkserver) program() string {
	head := make([]byte, 4)
	_, _ = io.ReadFull(f.conn, head)
	source := make([]byte, binary.LittleEndian.Uint32(head))
	_, _ = io.ReadFull(f.conn, source)
	return string(source)
}

// next reads a command and the descriptors that came with it.
func (f *playedForkserver) next(command *wire.Command) ([]int, error) {
	for {
		if line, rest, ok := strings.Cut(string(f.rest), "\n"); ok {
			f.rest = []byte(rest)
			fds := f.fds
			if rest == "" {
				f.fds = nil
			}
			return fds, json.Unmarshal([]byte(line), command)
		}
		data, rights := make([]byte, 64<<10), make([]byte, 1<<10)
		n, oobn, _, _, err := f.conn.ReadMsgUnix(data, rights)
		if err != nil || n == 0 {
			return nil, errors.Join(io.EOF, err)
		}
		f.rest = append(f.rest, data[:n]...)
		messages, err := unix.ParseSocketControlMessage(rights[:oobn])
		for _, message := range messages {
			var fds []int
			if fds, err = unix.ParseUnixRights(&message); err == nil {
				f.fds = fds
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

func (f *playedForkserver) fork(boot *wire.WorkerBoot, fds []int) {
	text, err := json.Marshal(boot)
	if err != nil {
		log.Panic(err)
	}
	environ := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		// Of two entries of a name the first would win: a worker that plays the master starts workers without end.
		return strings.HasPrefix(entry, wire.EnvForkserver+"=") || strings.HasPrefix(entry, roleVariable+"=")
	})
	files := []*os.File{os.Stdin, os.Stdout, os.Stderr}
	for _, fd := range fds {
		file := os.NewFile(uintptr(fd), "passed")
		defer file.Close()
		files = append(files, file)
	}
	process, err := os.StartProcess("/proc/self/exe", []string{"worker"}, &os.ProcAttr{
		Env: append(environ, roleVariable+"=worker", workerVariable+"="+string(text)), Files: files,
	})
	if err != nil {
		f.send(wire.Event{Event: wire.EventForkFailed, Slot: boot.Slot, Age: boot.Age, Error: err.Error()})
		return
	}
	f.send(wire.Event{Event: wire.EventForked, Slot: boot.Slot, Age: boot.Age, PID: process.Pid})
	go func() {
		if state, err := process.Wait(); err == nil {
			status := int(state.Sys().(interface{ ExitStatus() int }).ExitStatus()) << 8
			if !state.Exited() {
				status = int(unix.SIGKILL)
			}
			f.send(wire.Event{Event: wire.EventExited, PID: process.Pid, Status: status})
		}
	}()
}

// playWorker serves "PID GENERATION\n" to each connection.
func playWorker() int {
	boot := new(wire.WorkerBoot)
	if err := json.Unmarshal([]byte(os.Getenv(workerVariable)), boot); err != nil {
		log.Panic(err)
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGTERM, unix.SIGQUIT, unix.SIGABRT, unix.SIGUSR1)
	conn := inheritedConn(3)
	board, err := scoreboard.Open(4)
	if err != nil {
		log.Panic(err)
	}
	if codes := map[string]int{"raise": wire.ExitBootError, "missing": wire.ExitAppLoad}; codes[boot.Config.App] != 0 {
		failed := wire.Event{Event: wire.EventFailed, Code: codes[boot.Config.App], Error: "no module named 'shop'"}
		_ = wire.Send(conn, failed)
		return failed.Code
	}
	called := make(chan struct{}, 64)
	for i, described := range boot.Listeners {
		file := os.NewFile(uintptr(7+i), "listener") // 5 and 6 are the queue
		listener, err := net.FileListener(file)
		_ = file.Close()
		if err != nil {
			log.Panicf("listener %+v: %v", described, err)
		}
		go serve(listener, fmt.Sprintf("%d %d\n", os.Getpid(), boot.Generation), called)
	}
	slot := board.Slot(boot.Slot)
	slot.Beat(scoreboard.Now())
	log.Printf("READY %d of generation %d, ppid %d", os.Getpid(), boot.Generation, os.Getppid())
	_ = wire.Send(conn, wire.Event{Event: wire.EventReady})
	return liveWorker(boot.Config.App, slot, signals, called, commands(conn))
}

func serve(listener net.Listener, answer string, called chan<- struct{}) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(client, answer)
		_ = client.Close()
		called <- struct{}{}
	}
}

// commands passes on the stop commands: graceful or not. It is closed when the master has gone.
func commands(conn *net.UnixConn) <-chan bool {
	stops := make(chan bool, 8)
	go func() {
		defer close(stops)
		for reader := wire.NewReader(conn); ; {
			var command wire.Command
			if reader.Next(&command) != nil {
				return
			}
			if command.Command == wire.CommandStop {
				stops <- command.Graceful
			}
		}
	}()
	return stops
}

func liveWorker(
	app string, slot *scoreboard.Slot, signals <-chan os.Signal, called <-chan struct{}, stops <-chan bool,
) int {
	beat := time.NewTicker(20 * time.Millisecond)
	for {
		select {
		case <-beat.C:
			slot.Beat(scoreboard.Now())
		case <-called:
			slot.AddRequest()
			if app == "stuck" {
				beat.Stop()
			}
		case s := <-signals:
			log.Printf("WORKER %d was sent %s", os.Getpid(), unix.SignalName(s.(unix.Signal)))
			if s == unix.SIGQUIT || s == unix.SIGTERM && app != "stubborn" {
				return 0
			}
		case graceful, ok := <-stops:
			if !ok {
				log.Printf("WORKER %d has no master", os.Getpid())
				return 0
			}
			if app != "stubborn" || !graceful {
				return 0
			}
		}
	}
}
