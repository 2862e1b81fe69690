package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

var newMaster = regexp.MustCompile(`Started a new master \(pid:(\d+)\)`)

// Upgrade sends SIGUSR2 and returns the pid of the new master.
func (s *Server) Upgrade() int {
	s.t.Helper()
	before := len(newMaster.FindAllString(s.Log(), -1))
	s.Signal(syscall.SIGUSR2)
	s.WaitLog(newMaster.String(), before+1)
	all := newMaster.FindAllStringSubmatch(s.Log(), -1)
	pid, err := strconv.Atoi(all[len(all)-1][1])
	if err != nil {
		s.t.Fatal(err)
	}
	return pid
}

// countWorkers waits until so many workers live; under load they do not come to rest.
func (s *Server) countWorkers(count int) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%d workers live", count), func() bool { return len(s.Workers()) == count })
}

func readPidFile(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return pid
}

// TestUpgrade replaces the master under load, by the signals that gunicorn documents.
func TestUpgrade(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		pidfile := filepath.Join(shortDir(t), "pid")
		args := []string{"--pid", pidfile}
		if kind.Name == "gthread" {
			args = append(args, "--preload", "--reuse-port")
		}
		s := Start(t, Options{App: "hello", Kind: kind, Workers: 2, Args: args,
			Bind: []string{"127.0.0.1:0", "unix:" + filepath.Join(shortDir(t), "s")}})
		upgrades := 2
		if full() {
			upgrades = 20
		}
		load := s.Load(LoadOptions{})
		for range upgrades {
			load.Await(50)
			old, successor := s.PID, s.Upgrade()
			s.countWorkers(4)
			eventually(t, "NAME.2 holds the pid of the new master", func() bool {
				return readPidFile(t, pidfile+".2") == successor && readPidFile(t, pidfile) == old
			})
			load.Await(50)
			s.Signal(syscall.SIGWINCH)
			s.countWorkers(2)
			load.Await(50)
			s.Signal(syscall.SIGTERM)
			s.Promote(successor)
			eventually(t, "the pid file is the new master's", func() bool {
				_, err := os.Lstat(pidfile + ".2")
				return readPidFile(t, pidfile) == successor && err != nil
			})
		}
		s.WaitLog("Master has been promoted", upgrades)
		load.Await(50)
		load.EndWithoutLoss()
		s.forgetDescriptors()
	})
}

// TestUpgradeIsTakenBack is gunicorn's documented way back: HUP to the old master, TERM to the new one.
func TestUpgradeIsTakenBack(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "hello", Kind: gthreadKind, Workers: 2,
		Bind: []string{"127.0.0.1:0", "unix:" + filepath.Join(shortDir(t), "s")}})
	load := s.Load(LoadOptions{})
	successor := s.Upgrade()
	s.countWorkers(4)
	s.Signal(syscall.SIGUSR2)
	s.Expect(`USR2 signal ignored\. Child exists\.`)
	s.Signal(syscall.SIGWINCH)
	s.countWorkers(2)
	s.Signal(syscall.SIGHUP)
	s.WaitLog(`Reloaded: `, 1)
	s.countWorkers(4)
	s.Expect(fmt.Sprintf(`The new master \(pid:%d\) exited with code 0; this one goes on`, successor))
	if err := syscall.Kill(successor, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.WaitLog(`this one goes on`, 1)
	s.countWorkers(2)
	load.Await(50)
	load.EndWithoutLoss()
	s.forgetDescriptors()
}

// TestUpgradeToFewerWorkers: with reuse_port each worker has a socket of its own, and the kernel spreads connections
// over all of them, also over those for which the new master has no worker.
func TestUpgradeToFewerWorkers(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "hello", Kind: syncKind, Workers: 1, Args: []string{"--reuse-port"}})
	for count := 2; count <= 4; count++ {
		s.Signal(syscall.SIGTTIN)
		s.countWorkers(count)
	}
	successor := s.Upgrade()
	s.countWorkers(5)
	s.Signal(syscall.SIGTERM)
	s.Promote(successor)
	for range 20 {
		s.Get("/").Want(t, 200, "Hello, world!\n")
	}
	s.forgetDescriptors()
}

// TestUpgradeStartsTheNewBinary: the file that has the old one's name now, though the old one is gone; and one that
// does not start changes nothing.
func TestUpgradeStartsTheNewBinary(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	program := filepath.Join(directory, "server")
	install := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(program+".new", content, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(program+".new", program); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	install(content)
	s := Start(t, Options{App: "hello", Kind: syncKind, Program: program})

	install([]byte("#!/bin/sh\nexit 3\n"))
	s.Expect(`The new master \(pid:\d+\) exited with code 3; this one goes on`)
	s.Upgrade()
	s.WaitLog(`exited with code 3`, 1)
	s.Get("/").Want(t, 200, "Hello, world!\n")

	install(content)
	old, successor := s.PID, s.Upgrade()
	s.WaitWorkers(2)
	if sameFile(t, old, successor) {
		t.Error("the new master runs the old binary")
	}
	s.Signal(syscall.SIGTERM)
	s.Promote(successor)
	s.Get("/").Want(t, 200, "Hello, world!\n")
	s.forgetDescriptors()
}

// sameFile reports whether two processes run the same file.
func sameFile(t *testing.T, a, b int) bool {
	t.Helper()
	var infos [2]os.FileInfo
	for i, pid := range []int{a, b} {
		info, err := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
		if err != nil {
			t.Fatal(err)
		}
		infos[i] = info
	}
	return os.SameFile(infos[0], infos[1])
}
