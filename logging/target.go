package logging

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// purpose is what a target is for: how messages name it, the flag that sets it, and what "-" stands for.
type purpose struct {
	name, flag string
	standard   int
}

var (
	errorLog  = purpose{"error log", "--error-logfile", unix.Stderr}
	accessLog = purpose{"access log", "--access-logfile", unix.Stdout}
)

// writeWait bounds the wait for a reader when somebody made the descriptor non-blocking, which a process that shares
// the terminal or pipe can do. A blocking descriptor waits for its reader as long as it takes.
const writeWait = time.Second

// target is a file or an inherited standard stream. Its descriptor never changes its number. It is used with plain
// system calls and not as an os.File, because Go kills a process whose os.File on descriptor 1 or 2 has lost its
// reader.
type target struct {
	purpose purpose
	path    string // absolute, so that a later chdir does not move it; "" = standard stream
	fd      int
}

func openTarget(p purpose, name string) (*target, error) {
	switch name {
	case "":
		return nil, fmt.Errorf("opening %s: the file name is empty: use %s with a path, or - for the standard stream",
			p.name, p.flag)
	case "-":
		return &target{purpose: p, fd: p.standard}, nil
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("opening %s %s: %w", p.name, name, err)
	}
	fd, err := openAppend(p, path)
	if err != nil {
		return nil, err
	}
	return &target{purpose: p, path: path, fd: fd}, nil
}

// openAppend opens with O_APPEND: many processes share a log file, and only so does each write go to its end.
func openAppend(p purpose, path string) (int, error) {
	for {
		fd, err := unix.Open(path, unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT|unix.O_CLOEXEC, 0o644)
		switch {
		case err == nil:
			return fd, nil
		case !errors.Is(err, unix.EINTR):
			return -1, fmt.Errorf("opening %s %s: %w (%s)", p.name, path, err, openRemedy(p, path, err))
		}
	}
}

// openRemedy says what to do about a failed open.
func openRemedy(p purpose, path string, err error) string {
	dir := filepath.Dir(path)
	other := "or choose another file with " + p.flag
	switch {
	case errors.Is(err, unix.ENOENT):
		return fmt.Sprintf("the directory %s does not exist: create it with mkdir -p %s, %s", dir, dir, other)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return fmt.Sprintf("user id %d may not write there: give it write permission on %s and on %s, %s",
			os.Geteuid(), dir, path, other)
	case errors.Is(err, unix.EROFS):
		return fmt.Sprintf("the file system of %s is read-only: mount it writable, %s", dir, other)
	case errors.Is(err, unix.EISDIR):
		return fmt.Sprintf("it is a directory: name a file in it with %s", p.flag)
	case errors.Is(err, unix.ENOTDIR):
		return fmt.Sprintf("%s is not a directory: remove what is in the way, %s", dir, other)
	case errors.Is(err, unix.ENXIO):
		return fmt.Sprintf("it is a socket: use %s - and point the standard stream at it", p.flag)
	}
	return "check the path, " + other
}

// reopen puts a freshly opened file behind the same descriptor number. The exchange is atomic, so a concurrent write
// goes to the old file or to the new one. A write that fails leaves the old file in place.
func (t *target) reopen() error {
	if t.path == "" {
		return nil
	}
	fd, err := openAppend(t.purpose, t.path)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Dup3(fd, t.fd, unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("reopening %s %s: %w", t.purpose.name, t.path, err)
	}
	return nil
}

// regular reports whether the target is a plain file, where writes of any size are whole.
func (t *target) regular() bool {
	var stat unix.Stat_t
	return unix.Fstat(t.fd, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFREG
}

// write writes p with one write(2), and goes on only where the kernel took a part. It returns how much was taken.
func (t *target) write(p []byte) (int, error) {
	done, deadline := 0, time.Time{}
	for done < len(p) {
		n, err := unix.Write(t.fd, p[done:])
		switch {
		case err == nil && n > 0:
			done += n
		case err == nil:
			return done, fmt.Errorf("writing %s: nothing was taken", t.purpose.name)
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN) && t.writable(&deadline):
		default:
			return done, fmt.Errorf("writing %s: %w", t.purpose.name, err)
		}
	}
	return done, nil
}

// writable waits until a non-blocking target takes more, or until the deadline, which the first wait sets.
func (t *target) writable(deadline *time.Time) bool {
	if deadline.IsZero() {
		*deadline = time.Now().Add(writeWait)
	}
	for {
		left := time.Until(*deadline).Milliseconds()
		if left <= 0 {
			return false
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(t.fd), Events: unix.POLLOUT}}, int(left))
		if !errors.Is(err, unix.EINTR) {
			return err == nil && n > 0
		}
	}
}

// close closes a file; a standard stream stays open for the rest of the process.
func (t *target) close() error {
	if t.path == "" {
		return nil
	}
	return unix.Close(t.fd)
}
