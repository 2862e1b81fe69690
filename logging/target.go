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

// writeWait bounds the wait for the reader of a pipe, socket or terminal that is full.
const writeWait = time.Second

// checkInterval is the least time between two looks at whether a file still has its name.
const checkInterval = time.Second

// target is a file or an inherited standard stream. Its descriptor never changes its number. It is used with plain
// system calls and not as an os.File, because Go kills a process whose os.File on descriptor 1 or 2 has lost its
// reader.
type target struct {
	purpose purpose
	path    string // absolute, so that a later chdir does not move it; "" = standard stream
	fd      int
	kind    uint32    // S_IFREG, S_IFIFO...; 0 = not looked at yet
	copies  []int     // further descriptors of the file, by number
	eager   bool      // a write never waits: with kind
	checked time.Time // when the name was last compared with the file
}

func openTarget(p purpose, name string) (*target, error) {
	switch name {
	case "":
		return nil, fmt.Errorf("opening %s: the file name is empty: use %s with a path, or - for the standard stream",
			p.name, p.flag)
	case "-":
		return &target{purpose: p, fd: unblocked(p.standard)}, nil
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("opening %s %s: %w", p.name, name, err)
	}
	fd, err := openAppend(p, path)
	if err != nil {
		return nil, err
	}
	return &target{purpose: p, path: path, fd: fd, checked: time.Now()}, nil
}

// openAppend opens with O_APPEND: many processes share a log file, and only so does each write go to its end.
func openAppend(p purpose, path string) (int, error) {
	follow, err := LinkFlag(path)
	if err != nil {
		return -1, fmt.Errorf("opening %s: %w", p.name, err)
	}
	flags := unix.O_WRONLY | unix.O_APPEND | unix.O_CREAT | unix.O_CLOEXEC
	var stat unix.Stat_t
	if unix.Stat(path, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFIFO {
		// Open for reading too, so that neither the open waits for a reader nor a reader that leaves ends the log.
		flags = unix.O_RDWR | unix.O_NONBLOCK | unix.O_CLOEXEC
	}
	for {
		fd, err := unix.Open(path, flags|follow, 0o644)
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
	t.kind, t.checked = 0, time.Now()
	return t.copy()
}

// unblocked is a descriptor of a standard stream on which a write never waits. What other processes share stays as it
// is: a pipe is opened a second time for this one. Where that is not possible the stream itself has to do.
func unblocked(standard int) int {
	var stat unix.Stat_t
	if unix.Fstat(standard, &stat) != nil || stat.Mode&unix.S_IFMT != unix.S_IFIFO {
		return standard
	}
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", standard), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return standard
	}
	return fd
}

// copy makes the further descriptors ones of the file. Programs that the application starts inherit them.
func (t *target) copy() error {
	for _, fd := range t.copies {
		if err := unix.Dup3(t.fd, fd, 0); err != nil {
			return fmt.Errorf("redirecting descriptor %d to %s: %w", fd, t.path, err)
		}
	}
	return nil
}

// follow opens the file again if it has lost its name: logrotate has renamed it and sends no signal. It looks at most
// once a second. An error is the first of its kind; the old file goes on.
func (t *target) follow(now time.Time) (moved bool, err error) {
	if t.path == "" || now.Sub(t.checked) < checkInterval {
		return false, nil
	}
	t.checked = now
	var named, held unix.Stat_t
	if unix.Fstat(t.fd, &held) != nil || held.Mode&unix.S_IFMT != unix.S_IFREG {
		return false, nil
	}
	if unix.Stat(t.path, &named) == nil && named.Dev == held.Dev && named.Ino == held.Ino {
		return false, nil
	}
	err = t.reopen()
	return err == nil, err
}

// regular reports whether the target is a plain file, where writes of any size are whole.
func (t *target) regular() bool { return t.mode() == unix.S_IFREG }

// mode is the type of the file.
func (t *target) mode() uint32 {
	if t.kind == 0 {
		var stat unix.Stat_t
		if unix.Fstat(t.fd, &stat) == nil {
			t.kind = stat.Mode & unix.S_IFMT
		}
		flags, err := unix.FcntlInt(uintptr(t.fd), unix.F_GETFL, 0)
		t.eager = t.kind == unix.S_IFREG || err == nil && flags&unix.O_NONBLOCK != 0
	}
	return t.kind
}

// errFull says that whoever reads the target does not keep up.
var errFull = errors.New("its reader does not keep up")

// write writes p, and waits a moment where the target is full. It returns how much was taken.
func (t *target) write(p []byte) (int, error) {
	done, deadline := 0, time.Time{}
	for {
		n, err := t.offer(p[done:])
		done += n
		if !errors.Is(err, errFull) || !t.writable(&deadline) {
			return done, err
		}
	}
}

// offer writes what the target takes at once, with one write(2) where it takes all. errFull: it takes no more now.
func (t *target) offer(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n, err := t.put(p[done:])
		switch {
		case err == nil && n > 0:
			done += n
		case err == nil:
			return done, fmt.Errorf("writing %s: nothing was taken", t.purpose.name)
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return done, fmt.Errorf("writing %s: %w", t.purpose.name, errFull)
		default:
			return done, fmt.Errorf("writing %s: %w", t.purpose.name, err)
		}
	}
	return done, nil
}

// put is one write that does not wait for a reader.
func (t *target) put(p []byte) (int, error) {
	switch kind := t.mode(); {
	case t.eager:
		return unix.Write(t.fd, p)
	case kind == unix.S_IFSOCK:
		return unix.SendmsgN(t.fd, p, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	}
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(t.fd), Events: unix.POLLOUT}}, 0)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, unix.EAGAIN
	}
	return unix.Write(t.fd, p)
}

// writable waits until the target takes more, or until the deadline, which the first wait sets.
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
