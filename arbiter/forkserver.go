package arbiter

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

const (
	// titleRoom is the least length of argv[0], bytes: a forkserver and its workers write their titles over it in
	// place.
	titleRoom = 200
	// outboxSize bounds the commands that wait for a forkserver to read them; a full one means that it hangs.
	outboxSize = 4 * MaxWorkers
)

// forkserver is the serverLink of a real process: one goroutine writes to its socket, one reads from it.
type forkserver struct {
	system  *system
	launch  int
	process *Prepared
	outbox  chan parcel
	closed  chan struct{}
}

// parcel is a command with the descriptors that go with it. They belong to the parcel.
type parcel struct {
	command wire.Command
	fds     []int
}

func (p parcel) close() {
	for _, fd := range p.fds {
		_ = unix.Close(fd)
	}
}

func (y *system) launch(order launchOrder) (serverLink, error) {
	p := order.prepared
	if p == nil {
		var err error
		if p, err = startForkserver(forkserverArgv(order.config.Name()), order.library, order.executable); err != nil {
			return nil, err
		}
	}
	f := &forkserver{
		system: y, launch: order.launch, process: p, outbox: make(chan parcel, outboxSize), closed: make(chan struct{}),
	}
	go f.write(!p.programmed)
	go f.read()
	return f, nil
}

// startForkserver starts the process; it waits for its program.
func startForkserver(argv []string, library, executable string) (*Prepared, error) {
	conn, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	// Not os/exec: the process is reaped by the loop, together with all other children.
	pid, err := shielded(func() (int, error) {
		return syscall.ForkExec("/proc/self/exe", argv, &syscall.ProcAttr{
			Env:   forkserverEnviron(os.Environ(), library, executable),
			Files: []uintptr{0, 1, 2, uintptr(theirs)}, // the last one becomes wire.ForkserverFD
		})
	})
	_ = unix.Close(theirs)
	if err != nil {
		_ = conn.Close()
		return nil, notStarted(err, "/proc")
	}
	return &Prepared{pid: pid, conn: conn, reader: wire.NewReader(conn)}, nil
}

// notStarted says why there is no forkserver. What a chroot lacks is known by its sight only: the error names no file.
func notStarted(err error, proc string) error {
	if _, absent := os.Lstat(proc + "/self"); absent != nil {
		return fmt.Errorf("starting a forkserver: %w: pyhost runs its own binary through /proc, which is not mounted "+
			"(mount -t proc proc /proc)", err)
	}
	return fmt.Errorf("starting a forkserver: %w", err)
}

// forkserverArgv is the command line of a forkserver: a title with room for those of its workers.
func forkserverArgv(name string) []string {
	title := "pyhost: forkserver [" + name + "]"
	return []string{title + strings.Repeat(" ", max(0, titleRoom-len(title)))}
}

// forkserverEnviron is the environment of a forkserver: the master's without what systemd meant for the master alone.
func forkserverEnviron(environ []string, library, executable string) []string {
	private := []string{
		wire.EnvForkserver, wire.EnvLibPython, wire.EnvProgram, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
	}
	environ = slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(private, name)
	})
	return append(environ, wire.EnvForkserver+"="+strconv.Itoa(wire.ForkserverFD),
		wire.EnvLibPython+"="+library, wire.EnvProgram+"="+executable)
}

func (f *forkserver) write(program bool) {
	var err error
	if program {
		err = wire.SendProgram(f.process.conn, f.system.options.Program())
	}
	for err == nil {
		select {
		case p := <-f.outbox:
			err = wire.Send(f.process.conn, p.command, p.fds...)
			p.close()
		case <-f.closed:
			return
		}
	}
	// EPIPE is what a forkserver leaves behind that has ended; its last words are with the reader.
	if !errors.Is(err, unix.EPIPE) {
		f.system.post(serverHungUp{f.launch, err})
	}
}

func (f *forkserver) read() {
	for {
		var message wire.Event
		if err := f.process.reader.Next(&message); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, unix.ECONNRESET) {
				err = nil
			}
			f.system.post(serverHungUp{f.launch, err})
			return
		}
		f.system.post(serverSaid{f.launch, message})
	}
}

func (f *forkserver) pid() int { return f.process.pid }

func (f *forkserver) command(command wire.Command) {
	// A full outbox is no matter: it means that the forkserver hangs, and whoever waits for it does so with a limit.
	_ = f.send(parcel{command: command})
}

func (f *forkserver) exit() { f.command(wire.Command{Command: wire.CommandExit}) }

func (f *forkserver) send(p parcel) error {
	select {
	case f.outbox <- p:
		return nil
	default:
		p.close()
		return errors.New("the forkserver does not read its commands")
	}
}

// close ends the writer and the reader. Parcels that were not sent give back their descriptors: the other ends see it.
func (f *forkserver) close() {
	close(f.closed)
	_ = f.process.conn.Close()
	for {
		select {
		case p := <-f.outbox:
			p.close()
		default:
			return
		}
	}
}

// fork sends copies of the descriptors, so that the master may close its own before they have gone.
func (f *forkserver) fork(boot *wire.WorkerBoot, queue *handover, sockets []int) (workerLink, error) {
	conn, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	p := parcel{command: wire.Command{Command: wire.CommandFork, Worker: boot}, fds: []int{theirs}}
	for _, fd := range append([]int{int(f.system.board.File().Fd()), queue.receive, queue.send}, sockets...) {
		copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			p.close()
			_ = conn.Close()
			return nil, fmt.Errorf("copying a descriptor for a worker: %w", err)
		}
		p.fds = append(p.fds, copied)
	}
	if err := f.send(p); err != nil {
		_ = conn.Close()
		return nil, err
	}
	c := &control{conn: conn}
	go c.read(f.system, boot.Age)
	return c, nil
}
