package tests

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// memoryGroup makes a cgroup whose processes have so many bytes of memory, and puts the server into it.
func memoryGroup(t *testing.T, s *Server, limit int) {
	t.Helper()
	root, file := "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
	if _, err := os.Stat(filepath.Join(root, file)); err != nil {
		root, file = "/sys/fs/cgroup", "memory.max"
	}
	group := filepath.Join(root, fmt.Sprintf("pyhost-test-%d", s.PID))
	err := os.Mkdir(group, 0o755)
	if err == nil {
		t.Cleanup(func() {
			if !within(patience/4, func() bool { return os.Remove(group) == nil }) {
				t.Errorf("%s cannot be removed", group)
			}
		})
		err = os.WriteFile(filepath.Join(group, file), []byte(strconv.Itoa(limit)), 0o644)
	}
	for _, p := range s.Processes() {
		if err == nil {
			err = os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(p.pid)), 0o644)
		}
	}
	if err != nil {
		t.Skipf("no cgroup can be made here: %v", err)
	}
}

// The kernel's kill for lack of memory is told from anybody else's, with the request that ran.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "process", Kind: syncKind, Workers: 2})
	// The group goes when its processes have gone: cleanups run in reverse.
	t.Cleanup(func() { within(patience/4, func() bool { return len(s.Processes()) == 0 }) })
	memoryGroup(t, s, 100<<20)
	s.Expect(`Worker \(pid:\d+\) was sent SIGKILL! Out of memory: the kernel killed it ` +
		`\(the cgroup's limit is 100 MiB\)\.\nIt ran "GET /eat"`)
	c := s.Dial()
	c.Send(get("/eat"))
	io.Copy(io.Discard, c.reader)
	s.WaitLog(`Out of memory`, 1)
	s.smoke(2)
	s.Signal(syscall.SIGTERM)
	s.WaitExit(0)
}

// A worker that has no descriptors left says so, and goes on with those that it has.
func TestTooManyOpenFiles(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "process", Kind: kind, Args: []string{"--keep-alive", "60"}})
		s.Expect(`Cannot accept connections: too many open files; trying again. A worker may open \d+: raise that`)
		pid := s.Workers()[0]
		kept := s.Dial()
		kept.Roundtrip(get("/")).wantStatus(t, 200)
		var before, limit unix.Rlimit
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &before); err != nil {
			t.Fatal(err)
		}
		limit.Cur, limit.Max = uint64(len(openDescriptors(pid))+3), before.Max
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
			t.Skipf("limits cannot be set here: %v", err)
		}
		var conns []*Conn
		for range 10 {
			c := s.Dial()
			c.Send(get("/"))
			conns = append(conns, c)
		}
		s.WaitLog(`Cannot accept connections`, 1)
		kept.Roundtrip(get("/")).wantStatus(t, 200)
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &before, nil); err != nil {
			t.Fatal(err)
		}
		for _, c := range conns {
			c.Next("GET").wantStatus(t, 200)
		}
	})
}

// Workers that cannot boot any more never end a server on which another one serves, and come back with the mended code.
func TestReplacementsThatDoNotBoot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind   Kind
		broken string
	}{
		"exception": {syncKind, `raise RuntimeError("half deployed")`},
		"exit":      {gthreadKind, "import os\nos._exit(9)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code := newRelease(t)
			s := Start(t, Options{App: "version", Dir: code.dir, Kind: c.kind, Workers: 2})
			s.Allow(`half deployed|exited with code (3|9)`)
			s.Expect(`A worker failed 2 times in a row; the next one starts in 1s`)
			s.Allow(`A worker failed \d times in a row`)
			code.write(c.broken)
			old := s.Workers()
			s.KillWorker(old[0])
			s.WaitLog(`A worker failed 2 times in a row`, 1)
			if version := s.version(); version != "one" {
				t.Errorf("version %s", version)
			}
			code.write(`VERSION = "mended"`)
			s.WaitWorkers(2)
			s.KillWorker(old[1])
			eventually(t, "the mended code serves", func() bool { return s.version() == "mended" })
			s.WaitWorkers(2)
		})
	}
}

// A server whose standard streams are closed, or lead to nobody, serves.
func TestClosedStreams(t *testing.T) {
	for name, script := range map[string]string{
		"closed": `exec "$@" <&- >&- 2>&-`,
		"broken": `exec "$@" > >(exec true) 2>&1`,
	} {
		t.Run(name, func(t *testing.T) {
			forEachWorkerKind(t, func(t *testing.T, kind Kind) {
				log := filepath.Join(t.TempDir(), "log")
				s := Start(t, Options{App: "exceptions", Kind: kind, Workers: 2, Cold: true,
					Through: []string{"bash", "-c", script, "bash"}, Args: []string{"--log-file", log, "--access-logfile", "-"}})
				s.Allow(`Access log: `)
				s.FollowLog(log)
				s.AwaitReady()
				s.Expect(`Error handling request`)
				for range 20 {
					if r := s.Get("/raise_before_start/value"); r.Status != 500 {
						t.Errorf("status %d", r.Status)
					}
					s.Get("/pid/").wantStatus(t, 200)
				}
				s.reload()
				s.Get("/pid/").wantStatus(t, 200)
				s.Signal(syscall.SIGTERM)
				s.WaitExit(0)
			})
		})
	}
}

// A pid file on a full disk: a first start says why, a reload leaves the old workers serving.
func TestPidFileOnAFullDisk(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=4k,nr_inodes=2"); err != nil {
		t.Skipf("nothing can be mounted here: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(disk, unix.MNT_DETACH) })
	if err := os.WriteFile(filepath.Join(disk, "full"), []byte(strings.Repeat("x", 4096)), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pyhost.toml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("")
	s := Start(t, Options{App: "version", Args: []string{"-c", file}})
	write(fmt.Sprintf("pidfile = %q\n", filepath.Join(disk, "pid")))
	s.Expect(`Reload failed, the workers of before go on serving: [^\n]*no space left on device`)
	s.Signal(syscall.SIGHUP)
	s.WaitLog(`Reload failed`, 1)
	if version := s.version(); version != "one" {
		t.Errorf("version %s", version)
	}
	cold := Start(t, Options{App: "version", Args: []string{"-c", file}, Cold: true})
	cold.Expect(`\[ERROR\] Error: [^\n]*no space left on device`)
	cold.WaitExit(1)
}

// A write beyond the limit on the size of files is an OSError, as with python, wherever the application makes it.
func TestFileSizeLimit(t *testing.T) {
	t.Parallel()
	for _, preload := range []string{"--preload=false", "--preload"} {
		s := Start(t, Options{App: "size_limit", Kind: syncKind, Args: []string{preload}})
		s.Get("/").Want(t, 200, "File too large")
		s.Get("/here").Want(t, 200, "File too large")
		s.Get("/child").Want(t, 200, "0")
	}
}

// A worker that has descriptors to accept connections, but none to serve them, takes no more for a moment.
func TestTooFewOpenFiles(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "process", Kind: syncKind})
	s.Expect(`Closing the connection of ip=127.0.0.1: dup: too many open files`)
	s.Expect(`Cannot accept connections: too many open files`)
	pid := s.Workers()[0]
	var before unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &before); err != nil {
		t.Fatal(err)
	}
	limit := unix.Rlimit{Max: before.Max}
	for free := 0; free < 2; limit.Cur++ {
		if _, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, limit.Cur)); err != nil {
			free++
		}
	}
	limit.Cur-- // one is free
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		t.Skipf("limits cannot be set here: %v", err)
	}
	s.Get("/").wantStatus(t, 200)
	c := s.Dial()
	c.Send("GET / HTTP/1.1\r\n") // the rest is waited for by the lane, on a descriptor of its own
	c.ExpectClosed()
	s.WaitLog(`Cannot accept connections`, 1)
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &before, nil); err != nil {
		t.Fatal(err)
	}
	s.Get("/").wantStatus(t, 200)
}

// A worker that has no descriptors left does not take what waits behind a busy one: the connections would be lost.
func TestSiblingWithoutDescriptors(t *testing.T) {
	t.Parallel()
	gate := NewGate(t)
	s := Start(t, Options{App: "process", Kind: syncKind, Workers: 2, Env: []string{gate.Env()},
		Args: []string{"--keep-alive", "60"}})
	s.Expect(`Cannot accept connections: too many open files`)
	kept, busy := map[int][]*Conn{}, 0
	for busy == 0 {
		c := s.Dial()
		var report processReport
		c.Roundtrip(get("/")).JSON(t, &report)
		if kept[report.PID] = append(kept[report.PID], c); len(kept[report.PID]) == 2 {
			busy = report.PID
		}
	}
	for _, pid := range s.Workers() {
		var before unix.Rlimit
		if pid == busy {
			continue
		}
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &before); err != nil {
			t.Fatal(err)
		}
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: before.Max}, nil); err != nil {
			t.Skipf("limits cannot be set here: %v", err)
		}
		defer unix.Prlimit(pid, unix.RLIMIT_NOFILE, &before, nil)
	}
	kept[busy][0].Send(get("/gate"))
	visitor := gate.Await()
	fresh := s.Dial()
	fresh.Send(get("/"))
	s.WaitLog(`Cannot accept connections`, 1)
	open := len(openDescriptors(busy))
	kept[busy][1].Send(get("/"))
	eventually(t, "the busy worker gives the connection away", func() bool { return len(openDescriptors(busy)) < open })
	s.WaitLog(`Cannot accept connections`, 2) // once a second: the other one has looked at it, too
	visitor.Release()
	for _, c := range []*Conn{kept[busy][0], kept[busy][1], fresh} {
		c.Next("GET").wantStatus(t, 200)
	}
}
