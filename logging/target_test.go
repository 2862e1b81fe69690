package logging

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(dir, "none")
	tests := []struct {
		name, target string
		want         []string
		cause        error
	}{
		{"no directory", filepath.Join(none, "x.log"), []string{none + "/x.log", "mkdir -p " + none}, unix.ENOENT},
		{"a directory", dir, []string{dir, "name a file in it"}, unix.EISDIR},
		{"below a file", filepath.Join(file, "x.log"), []string{file + " is not a directory"}, unix.ENOTDIR},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, p := range []purpose{errorLog, accessLog} {
				_, err := openTarget(p, tt.target)
				checkError(t, err, tt.cause, append(tt.want, "opening "+p.name, p.flag))
			}
		})
	}
	_, err := openTarget(errorLog, "")
	checkError(t, err, nil, []string{"file name is empty", "--error-logfile"})
}

func checkError(t *testing.T, err, cause error, want []string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if cause != nil && !errors.Is(err, cause) {
		t.Errorf("%q is not %v", err, cause)
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

// TestOpenRemedy has the causes that root, who may run the tests, does not meet.
func TestOpenRemedy(t *testing.T) {
	tests := []struct {
		err  error
		want []string
	}{
		{unix.EACCES, []string{"may not write", "on /var/log/app and on /var/log/app/x", "--access-logfile"}},
		{unix.EPERM, []string{"may not write"}},
		{unix.EROFS, []string{"file system of /var/log/app is read-only"}},
		{unix.ENXIO, []string{"--access-logfile -"}},
		{unix.EMFILE, []string{"check the path"}},
	}
	for _, tt := range tests {
		got := openRemedy(accessLog, "/var/log/app/x", tt.err)
		for _, part := range tt.want {
			if !strings.Contains(got, part) {
				t.Errorf("%v: %q does not say %q", tt.err, got, part)
			}
		}
	}
}

func TestOpenAppendsAndCreates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	for _, text := range []string{"one\n", "two\n"} {
		target, err := openTarget(errorLog, path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := target.write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		flags, err := unix.FcntlInt(uintptr(target.fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("descriptor flags %x, %v: programs that the application starts inherit the log", flags, err)
		}
		if err := target.close(); err != nil {
			t.Fatal(err)
		}
	}
	checkFile(t, path, "one\ntwo\n")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&^0o644 != 0 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func checkFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s holds %q, want %q", filepath.Base(path), got, want)
	}
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	path, rotated := filepath.Join(dir, "x.log"), filepath.Join(dir, "x.log.1")
	target, err := openTarget(errorLog, path)
	if err != nil {
		t.Fatal(err)
	}
	fd := target.fd
	write := func(text string) {
		t.Helper()
		if _, err := unix.Write(fd, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	write("one\n")
	if err := os.Rename(path, rotated); err != nil {
		t.Fatal(err)
	}
	write("two\n")
	t.Chdir("/") // the name was taken when the log was opened
	if err := target.reopen(); err != nil {
		t.Fatal(err)
	}
	write("three\n")
	checkFile(t, rotated, "one\ntwo\n")
	checkFile(t, path, "three\n")
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("descriptor flags %x, %v after reopening", flags, err)
	}
	if err := target.close(); err != nil {
		t.Fatal(err)
	}
}

func TestReopenFailureKeepsTheOldFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	moved := dir + ".1"
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	log, err := Open(filepath.Join(dir, "x.log"), "info")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.stream.target.close() }()
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	checkError(t, log.Reopen(), unix.ENOENT, []string{dir, "mkdir -p"})
	log.Info("still here")
	got, err := os.ReadFile(filepath.Join(moved, "x.log"))
	if err != nil || !strings.Contains(string(got), "still here") {
		t.Errorf("the old file holds %q, %v", got, err)
	}
}

func TestStandardStreamsAreNotReopened(t *testing.T) {
	log, err := Open("-", "info")
	if err != nil {
		t.Fatal(err)
	}
	var mine, standard unix.Stat_t
	if err := errors.Join(unix.Fstat(log.Fd(), &mine), unix.Fstat(2, &standard)); err != nil {
		t.Fatal(err)
	}
	if mine.Dev != standard.Dev || mine.Ino != standard.Ino {
		t.Errorf("descriptor %d is not the standard error", log.Fd())
	}
	if err := log.Reopen(); err != nil {
		t.Error(err)
	}
}
