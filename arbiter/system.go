package arbiter

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"golang.org/x/sys/unix"
)

// system is the env of a real master.
type system struct {
	board   *scoreboard.Board
	events  chan event
	done    chan struct{} // closed when nobody receives events any more
	watcher *watcher      // nil until something is to be watched
	options Options
	bequest *bequest // nil if no old master has started this one
	// registry and register are the ends of a socket for the pids of new masters; only process 1 has the second.
	registry, register int
}

func newSystem(options Options, board *scoreboard.Board) *system {
	y := &system{
		options: options, board: board, events: make(chan event, 256), done: make(chan struct{}), bequest: inheritance(),
	}
	if y.bequest != nil {
		y.registry = y.bequest.Registry
	}
	return y
}

func (y *system) close() { close(y.done) }

// post hands an event to the loop. It waits while the loop is behind, and drops the event when the loop has ended.
func (y *system) post(e event) {
	select {
	case y.events <- e:
	case <-y.done:
	}
}

func (y *system) now() time.Duration { return time.Duration(scoreboard.Now()) }

func (y *system) kill(pid int, signal unix.Signal) {
	// 0, 1 and negative numbers are groups, everybody, or the init process: never a worker.
	if pid > 1 {
		_ = unix.Kill(pid, signal)
	}
}

func (y *system) wait(pid int) (int, unix.WaitStatus, error) {
	for {
		var status unix.WaitStatus
		got, err := unix.Wait4(pid, &status, unix.WNOHANG, nil)
		if !errors.Is(err, unix.EINTR) {
			return got, status, err
		}
	}
}

func (y *system) resident(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

func (y *system) busy(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		return 0
	}
	var on, waiting time.Duration // Documentation/scheduler/sched-stats.rst
	if _, err := fmt.Sscan(string(text), &on, &waiting); err != nil {
		return 0
	}
	return on + waiting
}

func (y *system) processors() int { return config.Processors() }

func (y *system) backlogged(sockets []int) bool {
	polled := make([]unix.PollFd, len(sockets))
	for i, fd := range sockets {
		polled[i] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	}
	n, err := unix.Poll(polled, 0)
	return err == nil && n > 0
}

func (y *system) waitingOn(sockets []int) int {
	sum := 0
	for _, fd := range sockets {
		// Of a listening socket tcpi_unacked is the length of its queue; a unix socket answers with an error.
		if info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			sum += int(info.Unacked)
		}
	}
	return sum
}

func (y *system) oomKills() oomCount { return oomKills("/") }

func (y *system) listen(at config.Address, options socketOptions) (*socket, error) {
	if s, err := y.bequest.take(at, options); s != nil || err != nil {
		return s, err
	}
	return listen(at, options)
}

func (y *system) watch(order watchOrder) {
	if y.watcher == nil {
		y.watcher = newWatcher(y.post, func(warning string) { y.post(watchDoubt{warning}) })
		go y.watcher.run(y.done)
	}
	select {
	case y.watcher.orders <- order:
	case <-y.done:
	}
}

func (y *system) ownLogs(cfg *config.Config) error { return ownLogs(cfg) }

func (y *system) handover() (*handover, error) { return newHandover() }

func (y *system) inherited() []string {
	if y.bequest != nil {
		return y.bequest.Passed
	}
	return passedSockets(os.Getenv, os.Getpid())
}

func (y *system) predecessor() int {
	if y.bequest == nil {
		return 0
	}
	go y.bequest.follow(func() { y.post(predecessorLeft{}) })
	return y.bequest.Master
}

func (y *system) bound() { y.bequest.rest() }

func (y *system) background(work func() event) {
	go func() { y.post(work()) }()
}

func (y *system) watchdog() time.Duration { return watchdogPeriod(os.Getenv, os.Getpid()) }

func (y *system) notify(state string) { notifySystemd(os.Getenv("NOTIFY_SOCKET"), state) }

// socketPair is a pair of connected stream sockets, both close-on-exec: ours as a connection, the other as a
// descriptor.
func socketPair() (ours *net.UnixConn, theirs int, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, -1, fmt.Errorf("making a control socket: %w", err)
	}
	file := os.NewFile(uintptr(fds[0]), "control")
	conn, err := net.FileConn(file)
	_ = file.Close() // FileConn works on a copy
	if err != nil {
		_ = unix.Close(fds[1])
		return nil, -1, fmt.Errorf("making a control socket: %w", err)
	}
	return conn.(*net.UnixConn), fds[1], nil
}
