package arbiter

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pyhost/pyhost/config"
	"golang.org/x/sys/unix"
)

func TestOOMKills(t *testing.T) {
	const v1 = "4:memory:/app\n1:cpu:/\n0::/system\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  oomCount // group relative to the root
	}{
		"version 2": {map[string]string{
			"proc/self/cgroup":                  "0::/app\n",
			"sys/fs/cgroup/app/memory.events":   "low 0\noom 5\noom_kill 3\noom_group_kill 0\n",
			"sys/fs/cgroup/app/memory.max":      "104857600\n",
			"sys/fs/cgroup/memory.events":       "oom_kill 9\n",
			"sys/fs/cgroup/memory/memory.limit": "1\n",
		}, oomCount{"sys/fs/cgroup/app", 3, 100 << 20}},
		"version 2 in a container": {map[string]string{
			"proc/self/cgroup":            "0::/../host/path\n",
			"sys/fs/cgroup/memory.events": "oom_kill 9\n",
			"sys/fs/cgroup/memory.max":    "max\n",
		}, oomCount{"sys/fs/cgroup", 9, 0}},
		"version 1": {map[string]string{
			"proc/self/cgroup": v1,
			"sys/fs/cgroup/memory/app/memory.oom_control":    "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
			"sys/fs/cgroup/memory/app/memory.limit_in_bytes": "9223372036854771712\n",
		}, oomCount{"sys/fs/cgroup/memory/app", 1, 0}},
		"version 1 of an old kernel": {map[string]string{
			"proc/self/cgroup": v1,
			"sys/fs/cgroup/memory/app/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\n",
		}, oomCount{}},
		"nothing": {nil, oomCount{}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for path, content := range c.files {
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := c.want
			if want.group != "" {
				want.group = filepath.Join(root, want.group)
			}
			if got := oomKills(root); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// The counter tells the kernel's SIGKILL from somebody's.
func TestWhoKilledIt(t *testing.T) {
	h := booted(t, func(c *config.Config) { c.Timeout = 0 })
	h.oom = oomCount{"/sys/fs/cgroup/app", 4, 100 << 20}
	h.a.oom.oomCount = h.oom
	kill := func(pause time.Duration) {
		h.pass(pause)
		h.bootAll()
		h.lines = nil
		h.wantAlive(2)[0].exit(killed(unix.SIGKILL))
	}
	kill(time.Minute)
	h.wantLine("ERROR Worker (pid:102) was sent SIGKILL! Not for lack of memory: the kernel's count of such kills " +
		"has not changed.")
	h.oom.kills++
	kill(0)
	h.wantLine("ERROR Worker (pid:103) was sent SIGKILL! Out of memory: the kernel killed it (the cgroup's limit is " +
		"100 MiB).")
	h.oom = oomCount{}
	kill(0)
	h.wantLine("ERROR Worker (pid:104) was sent SIGKILL! Perhaps out of memory?")
}
