package tests

import (
	"os"
	"strings"
	"syscall"
)

// finish stops the server and checks what every server has to leave behind: nothing.
func (s *Server) finish() {
	for _, c := range s.conns {
		c.Close()
	}
	if !s.Stopped() && !s.t.Failed() {
		s.checkDescriptors()
		s.checkZombies()
	}
	tree := s.tree()
	if !s.Stopped() {
		s.Signal(syscall.SIGTERM)
		if !within(patience, s.Stopped) {
			s.t.Errorf("the master did not exit within %v after SIGTERM", patience)
		}
	}
	if s.Stopped() && s.exitCode != s.wantedCode {
		s.t.Errorf("exit code %d, want %d", s.exitCode, s.wantedCode)
	}
	s.checkNothingRemains()
	s.checkLog()
	if s.t.Failed() {
		s.t.Logf("%s\nprocesses before the stop:\n%s\nlog:\n%s\noutput:\n%s", s, tree, s.Log(), s.Output())
	}
}

// checkZombies reports children that died and were not waited for.
func (s *Server) checkZombies() {
	var zombies []int
	if !within(patience/4, func() bool {
		zombies = nil
		for _, p := range s.Processes() {
			if p.state == "Z" {
				zombies = append(zombies, p.pid)
			}
		}
		return len(zombies) == 0
	}) {
		s.t.Errorf("zombies: %v", zombies)
	}
}

// checkNothingRemains reports processes, zombies and unix sockets that outlive the master, and removes them.
func (s *Server) checkNothingRemains() {
	if !within(patience/4, func() bool { s.reap(); return len(s.Processes()) == 0 }) {
		s.t.Errorf("processes remain after the stop:\n%s", s.tree())
		for _, p := range s.Processes() {
			syscall.Kill(p.pid, syscall.SIGKILL)
		}
		within(patience/4, func() bool { s.reap(); return len(s.Processes()) == 0 })
	}
	if s.killed {
		return // nobody was left who could unlink anything
	}
	for _, address := range s.Addresses {
		if path, found := strings.CutPrefix(address, "unix:"); found {
			if _, err := os.Lstat(path); (err == nil) != (path == s.foreign) {
				s.t.Errorf("the unix socket %s after the stop: %v", path, err)
			}
		}
	}
	for i, argument := range s.command.Args {
		if argument == "--pid" {
			if _, err := os.Lstat(s.command.Args[i+1]); err == nil && s.wantedCode == 0 {
				s.t.Errorf("the pid file %s remains after the stop", s.command.Args[i+1])
			}
		}
	}
}

// reap collects members of the group that were orphaned and fell to the suite, once the master is gone.
func (s *Server) reap() {
	if !s.Stopped() {
		return
	}
	for {
		if pid, err := syscall.Wait4(-s.group, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
			return
		}
	}
}

// KillMaster kills the master with SIGKILL; sockets and pid files are excused from then on.
func (s *Server) KillMaster() {
	s.t.Helper()
	s.killed = true
	s.Signal(syscall.SIGKILL)
	s.WaitExit(128 + int(syscall.SIGKILL))
}
