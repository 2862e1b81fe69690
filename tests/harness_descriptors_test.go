package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// descriptors are the open files of a process by their target ("socket:[123]", "/path"), sorted. The list of its own
// memory is not one of them: a worker that comes to rest reads it, and with AddressSanitizer that takes its time.
type descriptors []string

func openDescriptors(pid int) descriptors {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	own := fmt.Sprintf("/proc/%d/smaps", pid)
	var targets descriptors
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target != own {
			targets = append(targets, target)
		}
	}
	sort.Strings(targets)
	return targets
}

func (d descriptors) String() string {
	return strings.Join(d, " ")
}

// without returns the targets that the other set lacks.
func (d descriptors) without(other descriptors) descriptors {
	count := map[string]int{}
	for _, target := range other {
		count[target]++
	}
	var rest descriptors
	for _, target := range d {
		if count[target]--; count[target] < 0 {
			rest = append(rest, target)
		}
	}
	return rest
}

// withoutDeleted leaves out temporary files. One that is part of a reference cycle lives until the collector runs,
// which it does later without a GIL: it stops all threads.
func (d descriptors) withoutDeleted() descriptors {
	return slices.DeleteFunc(slices.Clone(d), func(name string) bool { return strings.HasSuffix(name, " (deleted)") })
}

// settledDescriptors waits until a worker sleeps and opens and closes nothing any more: then it has booted.
func (s *Server) settledDescriptors(pid int) descriptors {
	s.t.Helper()
	var last descriptors
	rounds := 0
	eventually(s.t, fmt.Sprintf("worker %d comes to rest", pid), func() bool {
		current := openDescriptors(pid)
		p := readProcess(pid)
		if p == nil || p.state != "S" || current.String() != last.String() {
			rounds = 0
		}
		last = current
		rounds++
		return rounds > 8 || p == nil
	})
	return last
}

// forgetDescriptors excuses the workers from the check, for applications that keep descriptors on purpose.
func (s *Server) forgetDescriptors() {
	clear(s.baseline)
}

// checkDescriptors reports workers that hold more descriptors now, idle, than when they had just booted.
func (s *Server) checkDescriptors() {
	for _, pid := range s.Workers() {
		before, known := s.baseline[pid]
		if !known {
			continue
		}
		if freeThreaded() {
			before = before.withoutDeleted()
		}
		var now descriptors
		if !within(patience/4, func() bool {
			now = openDescriptors(pid)
			if freeThreaded() {
				now = now.withoutDeleted()
			}
			return len(now) == len(before) || !alive(pid)
		}) {
			s.t.Errorf("worker %d had %d descriptors and has %d; new: %v; gone: %v",
				pid, len(before), len(now), now.without(before), before.without(now))
		}
	}
}
