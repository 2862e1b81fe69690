package logging

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func open(t *testing.T, path, format string) *AccessLog {
	t.Helper()
	a, err := OpenAccess(path, format)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func onto(t *testing.T, target *target, format string) *AccessLog {
	t.Helper()
	f, err := compile(format)
	if err != nil {
		t.Fatal(err)
	}
	return newAccessLog(target, f)
}

func path(text string) *Record { return &Record{Path: []byte(text)} }

// armed tells whether the timer of the log runs, and stops it.
func armed(a *AccessLog) bool { return a.timer.Stop() }

func TestDisabled(t *testing.T) {
	a, err := OpenAccess("", "%(nonsense)s")
	if a != nil || err != nil {
		t.Fatalf("got %v, %v", a, err)
	}
	a.Write(path("/"))
	a.Flush()
	if err := errors.Join(a.Reopen(), a.Close()); err != nil {
		t.Error(err)
	}
}

func TestLinesWaitForFlush(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.log")
	a := open(t, name, "%(U)s")
	if armed(a) {
		t.Error("the timer runs before the first line")
	}
	a.Write(path("/1"))
	a.Write(path("/2"))
	if !armed(a) {
		t.Error("the timer does not run while lines wait")
	}
	checkFile(t, name, "")
	a.Flush()
	checkFile(t, name, "/1\n/2\n")
	a.Write(path("/3"))
	a.Flush()
	if armed(a) {
		t.Error("the timer runs while nothing waits")
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a.Write(path("/4"))
	a.Flush()
	checkFile(t, name, "/1\n/2\n/3\n")
	if err := errors.Join(a.Close(), a.Reopen()); err != nil {
		t.Errorf("after Close: %v", err)
	}
}

func TestTimerFlushes(t *testing.T) {
	target, read := packets(t, accessLog)
	a := onto(t, target, "%(U)s")
	for _, want := range []string{"/1\n", "/2\n"} { // the second shows that the timer is armed again
		start := time.Now()
		a.Write(path(want[:2]))
		if got := read(); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
		if waited := time.Since(start); waited < flushDelay/2 {
			t.Errorf("the line was written after %v", waited)
		}
	}
}

func TestFullBufferIsWritten(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.log")
	a := open(t, name, "%(U)s")
	long := strings.Repeat("x", 999)
	for i := range 66 { // 66 lines of 1000 bytes: the last one crosses 64 KiB
		if i == 65 {
			checkFile(t, name, "")
		}
		a.Write(path(long))
	}
	await(t, "the full buffer is written, long before its time", func() bool {
		text, err := os.ReadFile(name)
		return err == nil && len(text) == 66*1000
	})
	huge := strings.Repeat("y", 2*maxBuffer)
	a.Write(path(huge))
	a.Flush()
	a.Write(path(huge))
	a.Flush()
	checkFile(t, name, strings.Repeat(long+"\n", 66)+strings.Repeat(huge+"\n", 2))
	if cap(a.buffer)+cap(a.full) > maxBuffer {
		t.Errorf("the buffers keep %d and %d bytes", cap(a.buffer), cap(a.full))
	}
}

// await waits for a condition.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for tick := time.Tick(time.Millisecond); !condition(); {
		select {
		case <-tick:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}

// TestSlowTargetCostsLinesNotTime: a pipe that nobody reads takes no request's time, and what is lost is counted.
func TestSlowTargetCostsLinesNotTime(t *testing.T) {
	name := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	a := open(t, name, "%(U)s")
	var mu sync.Mutex
	lost := 0
	a.OnError = func(_ error, n int) {
		mu.Lock()
		defer mu.Unlock()
		lost += n
	}
	const lines = 5000
	long := path(strings.Repeat("x", 999))
	start := time.Now()
	for range lines {
		a.Write(long)
	}
	if took := time.Since(start); took > writeWait/2 {
		t.Errorf("%d lines took %v", lines, took)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	const kept = 64                                          // a pipe's size in lines
	await(t, "most lines are said to be lost", func() bool { // by a flush that had begun before Close, perhaps
		mu.Lock()
		defer mu.Unlock()
		return lost >= lines-2*kept
	})
	if lost >= lines {
		t.Errorf("%d of %d lines are said to be lost", lost, lines)
	}
}

// TestRenamedFileIsNoticed: logrotate without a signal.
func TestRenamedFileIsNoticed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.log")
	a := open(t, name, "%(U)s")
	a.Write(path("/1"))
	a.Flush()
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	a.target.checked = time.Time{} // a second later
	a.Write(path("/2"))
	a.Flush()
	checkFile(t, name+".1", "/1\n")
	checkFile(t, name, "/2\n")
}

// TestPipesGetWholeLines: more than PIPE_BUF in one write may be torn by the lines of other workers.
func TestPipesGetWholeLines(t *testing.T) {
	target, read := packets(t, accessLog)
	a := onto(t, target, "%(U)s")
	line, huge := strings.Repeat("x", 999), strings.Repeat("y", 3*pipeBuf)
	for range 6 {
		a.Write(path(line))
	}
	a.Write(path(huge))
	a.Write(path(line))
	a.Flush()
	for i, want := range []string{
		strings.Repeat(line+"\n", 4), strings.Repeat(line+"\n", 2), huge + "\n", line + "\n",
	} {
		if got := read(); got != want {
			t.Errorf("write %d has %d bytes, want %d", i, len(got), len(want))
		}
	}
}

func TestAccessReopen(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x.log")
	a := open(t, name, "%(U)s")
	fd := a.target.fd
	a.Write(path("/1"))
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	if err := a.Reopen(); err != nil {
		t.Fatal(err)
	}
	a.Write(path("/2"))
	a.Flush()
	checkFile(t, name+".1", "/1\n")
	checkFile(t, name, "/2\n")
	if a.target.fd != fd {
		t.Errorf("the descriptor went from %d to %d", fd, a.target.fd)
	}
}

// loss is one call of OnError.
type loss struct {
	err  error
	lost int
}

func TestDiskFull(t *testing.T) {
	a := open(t, "/dev/full", "%(U)s")
	var got []loss
	a.OnError = func(err error, lost int) {
		a.Flush() // must not deadlock
		got = append(got, loss{err, lost})
	}
	write := func(n int) {
		for range n {
			a.Write(path("/"))
		}
		a.Flush()
	}
	write(3)
	if len(got) != 1 || got[0].lost != 3 || !errors.Is(got[0].err, unix.ENOSPC) {
		t.Fatalf("got %v, want 3 lines lost for want of space", got)
	}
	write(4)
	write(5)
	if len(got) != 1 {
		t.Fatalf("%d reports in one moment", len(got))
	}
	a.losses.report = time.Now().Add(-reportInterval)
	write(0)
	if len(got) != 2 || got[1].lost != 9 {
		t.Fatalf("got %v, want 9 lines lost", got)
	}
	a.Write(path("/"))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[2].lost != 1 {
		t.Errorf("got %v, want the last line reported by Close", got)
	}
}

// smallPipe has room for one page and is not blocking.
func smallPipe(t *testing.T) (reader int, writer *target) {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fds[0]); _ = unix.Close(fds[1]) })
	if _, err := unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	return fds[0], &target{purpose: accessLog, fd: fds[1]}
}

// TestCutLineIsEnded: where only a part of a line went out, the next one begins on a line of its own.
func TestCutLineIsEnded(t *testing.T) {
	reader, writer := smallPipe(t)
	a := onto(t, writer, "%(U)s")
	var got []loss
	a.OnError = func(err error, lost int) { got = append(got, loss{err, lost}) }
	start := time.Now()
	a.Write(path(strings.Repeat("x", 5000)))
	a.Write(path("/lost"))
	a.Flush()
	if len(got) != 1 || got[0].lost != 2 || !errors.Is(got[0].err, errFull) {
		t.Fatalf("got %v, want 2 lines lost", got)
	}
	if waited := time.Since(start); waited > 5*writeWait {
		t.Errorf("the log waited %v for its reader", waited)
	}
	buffer := make([]byte, 8192)
	if n, err := unix.Read(reader, buffer); n != 4096 || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
	a.Write(path("/1"))
	a.Flush()
	n, err := unix.Read(reader, buffer)
	if err != nil || string(buffer[:n]) != "\n/1\n" {
		t.Errorf("got %q, %v", buffer[:max(n, 0)], err)
	}
}

func TestReaderGone(t *testing.T) {
	reader, writer := smallPipe(t)
	a := onto(t, writer, "%(U)s")
	var got []loss
	a.OnError = func(err error, lost int) { got = append(got, loss{err, lost}) }
	nowhere, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Dup3(nowhere, reader, unix.O_CLOEXEC); err != nil { // closes the pipe's only reader
		t.Fatal(err)
	}
	a.Write(path("/"))
	a.Flush()
	if len(got) != 1 || got[0].lost != 1 || !errors.Is(got[0].err, unix.EPIPE) {
		t.Errorf("got %v, want 1 line lost to EPIPE", got)
	}
}

func TestAccessLogIsConcurrent(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.log")
	a := open(t, name, `%(t)s %(u)s "%(U)s"`)
	const writers, each = 4, 2000
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			r := sample()
			for i := range each {
				r.Start = r.Start.Add(300 * time.Millisecond)
				a.Write(r)
				if i%500 == 0 {
					a.Flush()
					if err := a.Reopen(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) != writers*each {
		t.Errorf("%d lines, want %d", len(lines), writers*each)
	}
	whole := regexp.MustCompile(`^\[2\d/Nov/2026:\d\d:\d\d:\d\d [+-]\d{4}\] ann "/a b"$`)
	for _, l := range lines {
		if !whole.MatchString(l) {
			t.Fatalf("a broken line: %s", l)
		}
	}
}
