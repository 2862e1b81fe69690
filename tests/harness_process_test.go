package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"syscall"
)

// process is what /proc says about one process.
type process struct {
	pid, parent, group int
	state              string // R, S, D, Z, T
	title              string
}

// exitSignal is where /proc/PID/stat has the signal to the parent, counted from the field behind the command; threads,
// whose numbers have directories too, have -1.
const exitSignal = 35

// readProcess returns nil if there is no such process.
func readProcess(pid int) *process {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	// The second field is the command in parentheses and may contain spaces.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) <= exitSignal || fields[exitSignal] == "-1" {
		return nil
	}
	title, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	p := &process{pid: pid, state: fields[0], title: strings.TrimSpace(strings.ReplaceAll(string(title), "\x00", " "))}
	p.parent, _ = strconv.Atoi(fields[1])
	p.group, _ = strconv.Atoi(fields[2])
	return p
}

// alive reports whether a process runs (a zombie does not).
func alive(pid int) bool {
	p := readProcess(pid)
	return p != nil && p.state != "Z"
}

// Processes are all processes of the server's group: master, forkserver, workers, and what applications started.
func (s *Server) Processes() []*process {
	paths, _ := filepath.Glob("/proc/[0-9]*")
	var group []*process
	for _, path := range paths {
		pid, _ := strconv.Atoi(filepath.Base(path))
		if p := readProcess(pid); p != nil && p.group == s.group {
			group = append(group, p)
		}
	}
	sort.Slice(group, func(i, j int) bool { return group[i].pid < group[j].pid })
	return group
}

func (s *Server) tree() string {
	var lines strings.Builder
	for _, p := range s.Processes() {
		fmt.Fprintf(&lines, "%7d %7d %s %s\n", p.pid, p.parent, p.state, p.title)
	}
	return lines.String()
}

var (
	booting    = regexp.MustCompile(`Booting worker with pid: (\d+)`)
	notAWorker = regexp.MustCompile(`^pyhost: (master|forkserver)`)
)

// Workers are the pids of the living workers, oldest first.
func (s *Server) Workers() []int {
	var pids []int
	for _, match := range booting.FindAllStringSubmatch(s.Log(), -1) {
		pid, _ := strconv.Atoi(match[1])
		if p := readProcess(pid); p == nil || p.group != s.group || p.state == "Z" || slices.Contains(pids, pid) {
			continue
		} else if notAWorker.MatchString(p.title) {
			continue // the number of one that has long ended
		}
		pids = append(pids, pid)
	}
	return pids
}

// WaitWorkers waits until exactly so many workers live, and all of them have come to rest after booting.
func (s *Server) WaitWorkers(count int) []int {
	s.t.Helper()
	var pids []int
	eventually(s.t, fmt.Sprintf("%d workers live", count), func() bool {
		pids = s.Workers()
		if s.Stopped() {
			s.t.Fatalf("the server exited with code %d while booting", s.exitCode)
		}
		return len(pids) == count
	})
	if count > 1 {
		for _, pid := range pids {
			s.settledDescriptors(pid)
		}
	}
	return pids
}

// KillWorker kills one worker with SIGKILL and waits until it is gone; the log line of that death is expected.
func (s *Server) KillWorker(pid int) {
	s.t.Helper()
	s.Expect(fmt.Sprintf(`Worker \(pid:%d\) was sent SIGKILL!`, pid))
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		s.t.Fatalf("killing worker %d: %v", pid, err)
	}
	eventually(s.t, fmt.Sprintf("worker %d is gone", pid), func() bool { return !alive(pid) })
}
