package arbiter

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/pyhost/pyhost/config"
	"golang.org/x/sys/unix"
)

// envBequest holds what an old master hands to the new one that it starts (SIGUSR2), as JSON; gunicorn's GUNICORN_PID
// and GUNICORN_FD.
const envBequest = "_PYHOST_BEQUEST"

// bequest is what a new master gets from the old one.
type bequest struct {
	Master  int        `json:"master"` // pid of the old one
	Sockets []heirloom `json:"sockets"`
	Passed  []string   `json:"passed,omitempty"` // the binds of the sockets that systemd passed to the first master
	Leash   int        `json:"leash"`            // a pipe that ends when the old master has left
	// Registry is a socket to process 1 of a container, for the pid of the next new master; 0 = there is none.
	Registry int `json:"registry,omitempty"`
}

// heirloom is a listening socket.
type heirloom struct {
	Address string      `json:"address"` // as configured: the port may be 0
	Seats   map[int]int `json:"seats"`   // descriptor by seat; see socket.bySeat
	Owned   bool        `json:"owned"`   // the masters made its file, and remove it
}

// Upgrading reports whether this process is a new master that an old one has started (SIGUSR2). The first call must
// come before any process is started: it takes what is inherited out of their reach.
func Upgrading() bool { return inheritance() != nil }

var inheritance = sync.OnceValue(func() *bequest {
	b := readBequest(os.Getenv(envBequest), os.Getppid())
	_ = os.Unsetenv(envBequest)
	if b == nil {
		return nil
	}
	for _, fd := range b.descriptors() {
		unix.CloseOnExec(fd)
	}
	return b
})

// readBequest is nil if the parent process has left nothing to this one: the variable may have been handed down to a
// process that the application started.
func readBequest(text string, parent int) *bequest {
	var b bequest
	if json.Unmarshal([]byte(text), &b) != nil || b.Master != parent {
		return nil
	}
	return &b
}

func (b *bequest) descriptors() []int {
	fds := []int{b.Leash}
	if b.Registry > 0 {
		fds = append(fds, b.Registry)
	}
	for _, h := range b.Sockets {
		for _, fd := range h.Seats {
			fds = append(fds, fd)
		}
	}
	return fds
}

// take gives out the socket of an address, once; nil if there is none.
func (b *bequest) take(at config.Address, options socketOptions) (*socket, error) {
	if b == nil {
		return nil, nil
	}
	i := slices.IndexFunc(b.Sockets, func(h heirloom) bool { return h.Address == at.String() })
	if i < 0 {
		return nil, nil
	}
	h := b.Sockets[i]
	b.Sockets = slices.Delete(b.Sockets, i, i+1)
	if len(h.Seats) == 0 {
		return nil, nil
	}
	s, err := describeSocket(at, h.any())
	if err != nil {
		h.close()
		return nil, fmt.Errorf("taking over %s from the old master: %w", at, err)
	}
	s.bySeat, s.reusePort = h.Seats, at.Network == "tcp" && sharesPort(h.any())
	if h.Owned {
		s.unlink = unlinker(at.Path)
	}
	if at.Network == "tcp" {
		options.reusePort = s.reusePort // what shares a port must do so from the start
		s.another = func() (int, error) {
			ip, err := lookup(at.Host)
			if err != nil {
				return -1, err
			}
			return openTCP(ip, s.listener.Port, options)
		}
	}
	return s, nil
}

// any is one of its descriptors: the one of seat 0 may have gone with a worker.
func (h heirloom) any() int {
	for _, fd := range h.Seats {
		return fd
	}
	return -1
}

// sharesPort reports whether a socket lets others listen at its address.
func sharesPort(fd int) bool {
	value, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT)
	return err == nil && value != 0
}

func (h heirloom) close() {
	for _, fd := range h.Seats {
		_ = unix.Close(fd)
	}
}

// rest closes what a new configuration does not ask for.
func (b *bequest) rest() {
	if b != nil {
		for _, h := range b.Sockets {
			h.close()
		}
		b.Sockets = nil
	}
}

// follow waits until the old master has left.
func (b *bequest) follow(left func()) {
	_ = unix.SetNonblock(b.Leash, true)
	leash := os.NewFile(uintptr(b.Leash), "leash")
	_, _ = io.Copy(io.Discard, leash)
	_ = leash.Close()
	left()
}

// start runs the program at path as a new master. The descriptors follow the standard ones in the order of b, whose
// numbers are changed to those that the new process will see.
func (b bequest) start(path, directory string, argv, environ []string) (int, error) {
	files := []uintptr{0, 1, 2}
	give := func(fd int) int {
		files = append(files, uintptr(fd))
		return len(files) - 1
	}
	given := bequest{Master: b.Master, Passed: b.Passed, Leash: give(b.Leash)}
	if b.Registry > 0 {
		given.Registry = give(b.Registry)
	}
	for _, h := range b.Sockets {
		seats := map[int]int{}
		for seat, fd := range h.Seats {
			seats[seat] = give(fd)
		}
		given.Sockets = append(given.Sockets, heirloom{Address: h.Address, Seats: seats, Owned: h.Owned})
	}
	text, err := json.Marshal(given)
	if err != nil {
		return 0, err
	}
	pid, err := shielded(func() (int, error) {
		return syscall.ForkExec(path, argv, &syscall.ProcAttr{
			Dir: directory, Env: append(successorEnviron(environ), envBequest+"="+string(text)), Files: files,
		})
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return pid, nil
}

// successorEnviron is the environment of a new master: the old one's without what names this process.
func successorEnviron(environ []string) []string {
	private := []string{envBequest, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID"}
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(private, name)
	})
}

// successor is a running new master: successorLink.
type successor struct {
	process int
	leash   *os.File // nil if another master holds it
}

func (s *successor) pid() int { return s.process }

func (s *successor) release() { _ = s.leash.Close() }

// upgrade starts a new master; see env.
func (y *system) upgrade(b bequest) (successorLink, error) {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	if b.Leash, b.Registry = int(theirs.Fd()), y.registry; b.Master == 1 && y.registry == 0 {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		y.registry, y.register, b.Registry = pair[0], pair[1], pair[0]
	}
	pid, err := b.start(y.options.Binary, y.options.Directory, y.options.Argv, os.Environ())
	if err != nil {
		_ = ours.Close()
		return nil, err
	}
	return &successor{pid, ours}, nil
}

// heir is the master that the last one has left behind; see env.
func (y *system) heir() successorLink {
	if y.register == 0 {
		return nil
	}
	var text [16]byte
	n, _, err := unix.Recvfrom(y.register, text[:], unix.MSG_DONTWAIT)
	if err != nil {
		return nil
	}
	pid, err := strconv.Atoi(string(text[:n]))
	if err != nil {
		return nil
	}
	return &successor{process: pid}
}

// commend tells process 1 of the container who serves from now on; see env.
func (y *system) commend(pid int) {
	if y.registry != 0 && y.register == 0 {
		_ = unix.Sendto(y.registry, []byte(strconv.Itoa(pid)), unix.MSG_DONTWAIT, nil)
	}
}

// terminal reports whether this process has a controlling terminal.
func (y *system) terminal() bool {
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err == nil {
		_ = unix.Close(fd)
	}
	return err == nil
}
