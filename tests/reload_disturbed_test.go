package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// slowly is code whose import takes a second.
func slowly(version string) string {
	return fmt.Sprintf("import time\ntime.sleep(1)\nVERSION = %q", version)
}

// A storm of HUPs, each with other code: no request is lost, and the last code wins.
func TestReloadStorm(t *testing.T) {
	underLoad(t, Options{Workers: 2}, mixed, func(t *testing.T, s loaded) {
		for n := range 30 {
			s.code.write(fmt.Sprintf("VERSION = %q", strings.Repeat("x", n+1)))
			s.Signal(syscall.SIGHUP)
			s.Await(3)
		}
		eventually(t, "the last code serves", func() bool { return len(s.version()) == 30 && len(s.Workers()) == 2 })
		s.EndWithoutLoss()
	})
}

// One worker whose import takes long: nobody waits for the new one.
func TestReloadOfOneWorkerDoesNotStall(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		code := newRelease(t)
		s := Start(t, Options{App: "version", Dir: code.dir, Kind: kind})
		code.write(slowly("slow"))
		s.Signal(syscall.SIGHUP)
		begin, longest := time.Now(), time.Duration(0)
		for answer := "one"; answer == "one"; {
			if time.Since(begin) > patience {
				t.Fatal("the new code does not serve")
			}
			asked := time.Now()
			answer = s.version()
			longest = max(longest, time.Since(asked))
		}
		if took := time.Since(begin); took < time.Second || longest > took/2 {
			t.Errorf("a request waited for %v in a reload of %v", longest, took)
		}
		s.WaitWorkers(1)
	})
}

// TERM while a new generation boots.
func TestTermDuringReload(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		code := newRelease(t)
		s := Start(t, Options{App: "version", Dir: code.dir, Kind: kind, Workers: 2})
		code.write(slowly("slow"))
		s.Signal(syscall.SIGHUP)
		s.WaitLog(booting.String(), 4)
		s.Signal(syscall.SIGTERM)
		s.WaitExit(0)
		if strings.Contains(s.Log(), "Reloaded") {
			t.Error("the reload went on")
		}
	})
}

// A new worker that dies ends the reload; an old one is replaced.
func TestDeathDuringReload(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		code := newRelease(t)
		s := Start(t, Options{App: "version", Dir: code.dir, Kind: kind, Workers: 2})
		old := s.Workers()
		code.write(slowly("slow"))
		s.Signal(syscall.SIGHUP)
		var fresh []int
		eventually(t, "the new workers boot", func() bool { fresh = s.Workers(); return len(fresh) == 4 })
		s.Expect(`Reload failed, the workers of before go on serving: worker \(pid:\d+\) was sent SIGKILL!`)
		s.KillWorker(fresh[3])
		s.WaitLog(`Reload failed`, 1)
		eventually(t, "only the old workers live", func() bool { return slices.Equal(s.Workers(), old) })
		s.Signal(syscall.SIGHUP)
		eventually(t, "the new workers boot", func() bool { return len(s.Workers()) == 4 })
		s.KillWorker(old[0])
		eventually(t, "the new code serves", func() bool { return s.version() == "slow" })
		s.WaitWorkers(2)
	})
}

// What a reload cannot read, or bind, costs a line; the exit status is not affected.
func TestReloadOfBrokenConfigKeepsServing(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		directory := t.TempDir()
		file := filepath.Join(directory, "pyhost.toml")
		write := func(text string) {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write("workers = 1\n")
		s := Start(t, Options{App: "version", Kind: kind, Args: []string{"-c", file}, Bind: []string{"127.0.0.1:0"}})
		old := s.Workers()
		for i, c := range []struct{ text, cause string }{
			{"timeout = \n", `pyhost.toml`},
			{"timeout = 'long'\n", `timeout.*'?long`},
			{"timeouts = 3\n", `timeouts`},
		} {
			write(c.text)
			s.Expect(`Reload failed, the workers of before go on serving: [^\n]*` + c.cause)
			s.Signal(syscall.SIGHUP)
			s.WaitLog(`Reload failed`, i+1)
			if version := s.version(); version != "one" || !slices.Equal(s.Workers(), old) {
				t.Errorf("version %s from %v", version, s.Workers())
			}
		}
		write("workers = 1\n")
		s.reload()
		s.Signal(syscall.SIGTERM)
		s.WaitExit(0)
	})
}

// Signals for the master that are sent to all processes, as `systemctl kill` does, end none of them, however new.
func TestSignalsToAllDuringReload(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Kind: kind, Workers: 2})
		for n, number := range []syscall.Signal{
			syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTTIN, syscall.SIGTTOU,
		} {
			s.Signal(syscall.SIGHUP)
			eventually(t, fmt.Sprintf("a reload among %v", number), func() bool {
				for _, p := range s.Processes() {
					if p.pid != s.PID && p.state != "Z" {
						_ = syscall.Kill(p.pid, number)
					}
				}
				return strings.Count(s.Log(), "Reloaded: 2 new workers") == n+1
			})
		}
		s.WaitWorkers(2)
		if answer := s.Get("/"); answer.Status != 200 {
			t.Errorf("status %d", answer.Status)
		}
	})
}
