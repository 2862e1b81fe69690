package arbiter

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// pidfile is a file with the master's pid. A nil one is no file: its methods do nothing.
type pidfile struct {
	path string
	pid  int
}

// createPidfile writes pid to path, by way of a temporary file so that nobody reads half of it. A file of another
// running process is an error, one of a process that has gone is replaced. An empty path is no file.
func createPidfile(path string, pid int) (*pidfile, error) {
	if path == "" {
		return nil, nil
	}
	owner, err := readPid(path)
	if err != nil {
		return nil, err
	}
	if owner != 0 && owner != pid && alive(owner) {
		return nil, fmt.Errorf("already running on PID %d (or pid file %q is stale: remove it then)", owner, path)
	}
	if err := writePid(path, pid); err != nil {
		return nil, cannotWrite(path, err)
	}
	return &pidfile{path: path, pid: pid}, nil
}

// cannotWrite says what is wrong with a pid file, and nothing of the temporary file that nobody has asked for.
func cannotWrite(path string, err error) error {
	dir := filepath.Dir(path)
	var inPath *os.PathError
	var inLink *os.LinkError
	_, missing := os.Stat(dir)
	switch {
	case errors.Is(missing, os.ErrNotExist):
		return fmt.Errorf("cannot write pid file %s: there is no directory %s", path, dir)
	case errors.As(err, &inPath):
		err = inPath.Err
	case errors.As(err, &inLink):
		err = inLink.Err
	}
	return fmt.Errorf("cannot write pid file %s in %s: %w", filepath.Base(path), dir, err)
}

func writePid(path string, pid int) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".pyhost-pid-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = fmt.Fprintf(file, "%d\n", pid)
	err = errors.Join(err, file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	return err
}

// readPid is the pid in a file: 0 where there is no file, or no number in it.
func readPid(path string) (int, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading pid file %s: %w", path, err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 0 {
		return 0, nil
	}
	return pid, nil
}

// alive reports whether there is a process pid; one of another user counts (EPERM). One that has ended, and whose
// parent has not asked for it yet, does not: in a container perhaps nobody ever asks.
func alive(pid int) bool {
	if errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	// proc_pid_stat(5): the name is in parentheses, and may have some itself; the state follows.
	return err != nil || !strings.HasPrefix(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " Z")
}

// move is the pid file of a new configuration: p itself if the path is the same, else another one. p stays until
// removed.
func (p *pidfile) move(path string, pid int) (*pidfile, error) {
	if p != nil && p.path == path {
		return p, nil
	}
	return createPidfile(path, pid)
}

// bequeath gives the name to the file of the new master, NAME.2, and reports whether there is one.
func (p *pidfile) bequeath(successor int) bool {
	if p == nil {
		return false
	}
	if pid, err := readPid(p.path + ".2"); err != nil || pid != successor {
		return false
	}
	return os.Rename(p.path+".2", p.path) == nil
}

// remove removes the file if it is still this process's.
func (p *pidfile) remove() {
	if p == nil {
		return
	}
	if owner, err := readPid(p.path); err == nil && owner == p.pid {
		_ = os.Remove(p.path)
	}
}
