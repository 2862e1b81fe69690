package config

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// workersForMachine is the meaning of -w auto: gunicorn's advice for the processors that there are, twice as many and
// one.
func workersForMachine() int { return min(2*Processors()+1, maxWorkers) }

// Processors is how many processors this process may use at once, at least 1; see processors.
func Processors() int { return processors("/") }

// processors is how many processors this process may use at once: those that it may run on (sched_getaffinity(2)), or
// fewer if a cgroup gives it less time, as containers do with --cpus; a part of one counts as one. root is where the
// file systems are, "/" but in tests.
func processors(root string) int {
	count := float64(runtime.NumCPU())
	for _, group := range cpuGroups(root) {
		if quota := cpuQuota(group); quota > 0 {
			count = min(count, quota)
		}
	}
	return max(1, int(math.Ceil(count)))
}

// cpuGroups are the directories of this process's cgroup and of those above it: the smallest quota counts. In a
// container the path may be that of the host, and the container's group what is mounted.
func cpuGroups(root string) []string {
	membership, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return nil
	}
	var groups []string
	for _, line := range strings.Fields(string(membership)) {
		fields := strings.SplitN(line, ":", 3)
		mount := filepath.Join(root, "sys/fs/cgroup")
		switch {
		case len(fields) != 3:
			continue
		case strings.Contains(","+fields[1]+",", ",cpu,"): // version 1
			mount = filepath.Join(mount, "cpu")
		case fields[1] != "":
			continue
		}
		for group := fields[2]; group != "/" && group != "."; group = filepath.Dir(group) {
			groups = append(groups, filepath.Join(mount, group))
		}
		groups = append(groups, mount)
	}
	return groups
}

// cpuQuota is how many processors' time a cgroup allows: cpu.max of version 2 (Documentation/admin-guide/cgroup-v2),
// cpu.cfs_quota_us of version 1. 0 = no limit.
func cpuQuota(group string) float64 {
	read := func(name string) []string {
		content, _ := os.ReadFile(filepath.Join(group, name))
		return strings.Fields(string(content))
	}
	both := read("cpu.max")
	if len(both) == 0 {
		both = append(read("cpu.cfs_quota_us"), read("cpu.cfs_period_us")...)
	}
	if len(both) != 2 {
		return 0
	}
	quota, err1 := strconv.ParseFloat(both[0], 64) // "max", or -1 in version 1
	period, err2 := strconv.ParseFloat(both[1], 64)
	if err1 != nil || err2 != nil || quota <= 0 || period <= 0 {
		return 0
	}
	return quota / period
}
