package arbiter

import (
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

// env is every touch of the operating system. system is the real one; tests have one with a clock of their own and no
// processes. No method blocks, except listen for the time of a name lookup.
type env interface {
	// now is CLOCK_MONOTONIC, the clock of the scoreboard.
	now() time.Duration
	// launch starts a forkserver. What it says arrives as serverSaid and serverHungUp.
	launch(order launchOrder) (serverLink, error)
	// kill sends a signal. A process that has gone is no error.
	kill(pid int, signal unix.Signal)
	// wait is wait4(pid, WNOHANG), pid -1 meaning any child. It returns 0 where nothing has ended, ECHILD where there
	// is no such child.
	wait(pid int) (int, unix.WaitStatus, error)
	// resident is how much memory a process has in RAM, in bytes, what it shares included; 0 if that is not known.
	resident(pid int) int64
	// busy is how long the first thread of a process has been on a processor, or waiting for one; 0 if that is not
	// known.
	busy(pid int) time.Duration
	// processors is how many of them this process may use at once.
	processors() int
	// oomKills is how many processes of this one's cgroup the kernel has killed for lack of memory.
	oomKills() oomCount
	// backlogged reports whether connections wait to be accepted on one of these listening sockets.
	backlogged(sockets []int) bool
	// waitingOn is how many connections wait to be accepted on these listening sockets, unix sockets not counted.
	waitingOn(sockets []int) int
	// letThrough ends that the kernel keeps back silent connections on these listening sockets, and reports whether it
	// did on any: those that it has kept until now come with their first byte.
	letThrough(sockets []int) bool
	// listen opens the socket of one bind.
	listen(at config.Address, options socketOptions) (*socket, error)
	// predecessor is the pid of the master that has started this one; 0 = nobody has. predecessorLeft follows.
	predecessor() int
	// bound closes the sockets of the predecessor that nobody has asked for.
	bound()
	// upgrade starts a new master.
	upgrade(b bequest) (successorLink, error)
	// commend tells process 1 of the container, if it attends, that this master leaves to another one.
	commend(pid int)
	// heir is, for process 1, whom the master that has ended has commended; nil = nobody.
	heir() successorLink
	// terminal reports whether this process has a controlling terminal.
	terminal() bool
	// handover makes the queue of a generation.
	handover() (*handover, error)
	// inherited are the binds of the sockets that systemd passed to this process; nil = none.
	inherited() []string
	// watch adds to the files whose changes arrive as codeChanged.
	watch(order watchOrder)
	// ownLogs makes the log files and gives them to the owner of the workers, if that is somebody else.
	ownLogs(cfg *config.Config) error
	// background runs work on a goroutine of its own; its result comes back as an event.
	background(work func() event)
	// watchdog is how often systemd wants to hear from this process; 0 = it does not.
	watchdog() time.Duration
	// notify tells systemd about the state of the service. Without systemd it does nothing.
	notify(state string)
	// introduce tells systemd that the new master is the main process as soon as this one has ended.
	introduce(s successorLink)
}

// launchOrder says what a new forkserver is to be.
type launchOrder struct {
	launch              int // its number, for the events
	config              *config.Config
	library, executable string
	// prepared is a running forkserver to take; nil = start one.
	prepared *Prepared
}

// serverLink is a running forkserver as the loop sees it. Its methods do not block.
type serverLink interface {
	pid() int
	// fork asks for a worker that gets this queue and these listening sockets. What it says arrives as workerSaid and
	// workerHungUp.
	fork(boot *wire.WorkerBoot, queue *handover, sockets []int) (workerLink, error)
	// command sends any other command. One that cannot be sent is lost: the forkserver hangs then.
	command(command wire.Command)
	// exit asks the forkserver to leave at once.
	exit()
	// close frees what the master holds of it.
	close()
}

// workerLink is the control socket of a worker as the loop sees it. Its methods do not block.
type workerLink interface {
	// stop sends the stop command.
	stop(graceful bool)
	// announce sends the leave command: the worker goes on for a while, but keeps no connection.
	announce()
	// hangUp lets the worker read the end of its control socket: it drains and leaves.
	hangUp()
	// close frees the socket.
	close()
}
