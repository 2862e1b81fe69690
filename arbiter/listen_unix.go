package arbiter

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pyhost/pyhost/config"
	"golang.org/x/sys/unix"
)

func listenUnix(at config.Address, options socketOptions) (*socket, error) {
	abstract := at.Path[0] == 0
	if !abstract {
		if err := removeStale(at.Path); err != nil {
			return nil, err
		}
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	// The file must never be there with more rights than the umask setting leaves, so a chmod afterwards is too late.
	// The umask is the whole process's; nothing else makes files meanwhile but the log, whose mode matters less.
	old := unix.Umask(options.umask)
	err = unix.Bind(fd, unixName(at.Path))
	unix.Umask(old)
	bound := err == nil && !abstract
	if bound && options.owner != nil { // as gunicorn
		if err = unix.Lchown(at.Path, options.owner.UID, options.owner.GID); err != nil {
			err = fmt.Errorf("giving it to the user of the workers: %w", err)
		}
	}
	if err == nil {
		err = unix.Listen(fd, options.backlog)
	}
	var s *socket
	if err == nil {
		s, err = describeSocket(at, fd)
	}
	if err != nil {
		_ = unix.Close(fd)
		if bound {
			_ = os.Remove(at.Path)
		}
		if errors.Is(err, unix.EINVAL) && len(at.Path) > 107 {
			err = fmt.Errorf("the path has %d bytes, a Unix socket can have 107; choose a shorter one", len(at.Path))
		}
		return nil, err
	}
	if !abstract {
		s.unlink = unlinker(at.Path)
	}
	return s, nil
}

// unixName is the address of a path. The package unix takes a leading @ for an abstract address; ours begin with NUL.
func unixName(path string) *unix.SockaddrUnix {
	if strings.HasPrefix(path, "@") {
		path = "./" + path
	}
	return &unix.SockaddrUnix{Name: path}
}

// removeStale removes the socket of a dead server. A live one is EADDRINUSE; what is no socket is not touched.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("%s is not a socket", path)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	err = unix.Connect(fd, unixName(path))
	switch {
	case errors.Is(err, unix.ECONNREFUSED):
		return os.Remove(path)
	case errors.Is(err, unix.ENOENT):
		return nil // gone meanwhile
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("cannot tell whether a server listens at %s: %w", path, err)
	}
	// Connected, or its queue is full (EAGAIN), or it is another kind of socket (EPROTOTYPE): somebody is there.
	return unix.EADDRINUSE
}

// unlinker removes the socket at path, unless another server has put its own there.
func unlinker(path string) func() {
	ours, err := os.Lstat(path)
	return func() {
		if now, statErr := os.Lstat(path); err == nil && statErr == nil && os.SameFile(ours, now) {
			_ = os.Remove(path)
		}
	}
}
