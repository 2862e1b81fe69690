package workers

import (
	"cmp"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/logging"
)

const spoolBlock = 64 << 10 // bytes read from the client at once

// spoolError: the temporary file cannot be written, the disk is full for instance.
type spoolError struct {
	dir string
	err error
}

func (e *spoolError) Error() string { return fmt.Sprintf("spooling to %s: %v", e.dir, e.err) }
func (e *spoolError) Unwrap() error { return e.err }

// spool is a request body on disk, in a file without a name: it goes away with its last descriptor, also when the
// worker is killed.
type spool struct {
	file *os.File
	size int64
	dir  string
}

// spooling is where request bodies are kept.
type spooling struct {
	threshold int64  // bytes; larger ones go to a file
	dir       string // of those files
}

func newSpooling(c *config.Config) spooling {
	return spooling{threshold: int64(c.SpoolThreshold), dir: cmp.Or(c.SpoolDir, c.TmpUploadDir, os.TempDir())}
}

// warn tells of a directory in which this process may not make files: the first large body would tell so too late.
func (s spooling) warn(log *logging.Logger) {
	if err := unix.Access(s.dir, unix.W_OK|unix.X_OK); err != nil {
		log.Warning("Request bodies of more than %d bytes will be refused (507): user id %d cannot make files in %s: %v; "+
			"name another directory with --spool-dir", s.threshold, unix.Geteuid(), s.dir, err)
	}
}

func (s spooling) open() (*spool, error) {
	fd, err := unix.Open(s.dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err == nil {
		return &spool{file: os.NewFile(uintptr(fd), "spool"), dir: s.dir}, nil
	}
	file, err := os.CreateTemp(s.dir, "pyhost-body-") // file systems without O_TMPFILE
	if err != nil {
		return nil, &spoolError{s.dir, err}
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, &spoolError{s.dir, err}
	}
	return &spool{file: file, dir: s.dir}, nil
}

// write appends; a failure discards the spool.
func (s *spool) write(p []byte) error {
	n, err := s.file.Write(p)
	s.size += int64(n)
	if err != nil {
		s.discard()
		return &spoolError{s.dir, err}
	}
	return nil
}

func (s *spool) discard() { s.file.Close() }

// message makes the finished body a request's.
func (s *spool) message(head, rest []byte) (*message, error) {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		s.discard()
		return nil, &spoolError{s.dir, err}
	}
	return &message{raw: head, file: s.file, size: s.size, rest: rest}, nil
}
