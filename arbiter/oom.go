package arbiter

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// oomMoment is how far apart the ends of processes may be that the kernel kills for one lack of memory.
const oomMoment = 250 * time.Millisecond

// oomCount is what a cgroup tells about processes that the kernel killed for lack of memory.
type oomCount struct {
	group string // its directory; "" if nothing is known
	kills int64  // since the group was made
	limit int64  // of its memory in bytes; 0 = none
}

// oom is what was known of the cgroup at the last look.
type oom struct {
	oomCount
	at time.Duration // when kills was found to have grown; 0 = never
}

// killer says why a process that the master did not kill was sent SIGKILL, as far as the cgroup's counter can tell.
func (a *arbiter) killer() string {
	now := a.env.oomKills()
	before := a.oom.kills
	if now.group != a.oom.group {
		before = 0 // moved to a group of its own
	}
	if now.group != "" && now.kills > before {
		a.oom.at = a.env.now()
	}
	a.oom.oomCount = now
	switch {
	case now.group == "":
		return "Perhaps out of memory?"
	case a.oom.at == 0 || a.env.now()-a.oom.at > oomMoment:
		return "Not for lack of memory: the kernel's count of such kills has not changed."
	case now.limit > 0:
		return fmt.Sprintf("Out of memory: the kernel killed it (the cgroup's limit is %d MiB).", now.limit>>20)
	}
	return "Out of memory: the kernel killed it."
}

// oomKills reads the counter of this process's cgroup: memory.events of version 2 (Documentation/admin-guide/cgroup-v2,
// "oom_kill"), memory.oom_control of version 1. root is where the file systems are, "/" but in tests.
func oomKills(root string) oomCount {
	membership, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return oomCount{}
	}
	mount, counter, limit, group := "sys/fs/cgroup", "memory.events", "memory.max", ""
	for _, line := range strings.Fields(string(membership)) {
		fields := strings.SplitN(line, ":", 3)
		switch {
		case len(fields) != 3:
		case strings.Contains(","+fields[1]+",", ",memory,"): // version 1 has the memory, whatever version 2 has
			mount, counter, limit, group = "sys/fs/cgroup/memory", "memory.oom_control", "memory.limit_in_bytes", fields[2]
		case fields[1] == "" && group == "":
			group = fields[2]
		}
	}
	// In a container the path may be that of the host, and the container's group what is mounted.
	for _, directory := range []string{filepath.Join(root, mount, group), filepath.Join(root, mount)} {
		if kills, found := keyed(filepath.Join(directory, counter), "oom_kill"); found {
			return oomCount{directory, kills, memoryLimit(filepath.Join(directory, limit))}
		}
	}
	return oomCount{}
}

// keyed is the number behind a key in a file of lines "key number".
func keyed(path, key string) (int64, bool) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	for _, line := range strings.Split(string(content), "\n") {
		if name, value, _ := strings.Cut(line, " "); name == key {
			number, err := strconv.ParseInt(value, 10, 64)
			return number, err == nil
		}
	}
	return 0, false
}

// memoryLimit is the number in a file; 0 where it says "max", or the largest number of pages, which means the same.
func memoryLimit(path string) int64 {
	const boundless = 1 << 60
	content, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	limit, err := strconv.ParseInt(string(bytes.TrimSpace(content)), 10, 64)
	if err != nil || limit > boundless {
		return 0
	}
	return limit
}
