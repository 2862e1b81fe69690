package static

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// errHidden, errNotFile: what is there, and is not served.
var (
	errHidden  = errors.New("is hidden: a part of its path begins with a dot")
	errNotFile = errors.New("is not a regular file")
)

// Root is a directory out of which files are served. Nothing outside of it is ever opened: neither by "..", nor through
// a symbolic link. Safe for concurrent use.
type Root struct {
	dirs []string // its absolute name, and the one without symbolic links
	root *os.Root
}

// OpenRoot opens a directory; it stays the same one when its name comes to mean another.
func OpenRoot(dir string) (*Root, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(real)
	if err != nil {
		return nil, err
	}
	return &Root{dirs: []string{dir, real}, root: root}, nil
}

// open opens a regular file by its name below the root, which has neither empty parts nor dots in front of one;
// ".well-known" is no secret (RFC 8615).
func (r *Root) open(name string) (*os.File, fs.FileInfo, error) {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' && part != ".well-known" {
			return nil, nil, errHidden
		}
	}
	if strings.IndexByte(name, 0) >= 0 {
		return nil, nil, fs.ErrNotExist
	}
	// Without O_NONBLOCK opening a FIFO would wait for its writer.
	f, err := r.root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotFile
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// Below turns a path that the application names into one below the root: it is relative to it, or absolute and within
// it.
func (r *Root) Below(path string) (string, error) {
	if !filepath.IsAbs(path) {
		return path, nil
	}
	for _, dir := range r.dirs {
		if below, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(below) {
			return below, nil
		}
	}
	return "", fmt.Errorf("%s is outside of %s", path, r.dirs[0])
}
