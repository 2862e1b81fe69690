package config

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestProcessors(t *testing.T) {
	all := runtime.NumCPU()
	for name, tt := range map[string]struct {
		files map[string]string
		want  int
	}{
		"no cgroups": {nil, all},
		"version 2": {map[string]string{
			"proc/self/cgroup": "0::/app\n", "sys/fs/cgroup/app/cpu.max": "50000 100000\n"}, 1},
		"version 2, without a limit": {map[string]string{
			"proc/self/cgroup": "0::/app\n", "sys/fs/cgroup/app/cpu.max": "max 100000\n"}, all},
		"version 2, the group above has one": {map[string]string{
			"proc/self/cgroup": "0::/pod/app\n", "sys/fs/cgroup/pod/app/cpu.max": "max 100000\n",
			"sys/fs/cgroup/pod/cpu.max": "100000 100000\n"}, 1},
		"version 2, the path is the host's": {map[string]string{
			"proc/self/cgroup": "0::/docker/0123\n", "sys/fs/cgroup/cpu.max": "20000 100000\n"}, 1},
		"version 1": {map[string]string{
			"proc/self/cgroup": "4:memory:/x\n3:cpu,cpuacct:/docker/0123\n",
			"sys/fs/cgroup/cpu/docker/0123/cpu.cfs_quota_us":  "100000\n",
			"sys/fs/cgroup/cpu/docker/0123/cpu.cfs_period_us": "100000\n"}, 1},
		"version 1, without a limit": {map[string]string{
			"proc/self/cgroup":                    "3:cpu,cpuacct:/\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us":  "-1\n",
			"sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, all},
		"more than there are": {map[string]string{
			"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "99900000 100000\n"}, all},
		"nonsense": {map[string]string{"proc/self/cgroup": "x\n0::/\n", "sys/fs/cgroup/cpu.max": "1\n"}, all},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for path, content := range tt.files {
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got := processors(root); got != tt.want {
				t.Errorf("%d processors, want %d", got, tt.want)
			}
		})
	}
}

func TestWorkersAuto(t *testing.T) {
	want := 2*processors("/") + 1
	for name, load := range map[string]func() (*Config, error){
		"flag": func() (*Config, error) {
			return Load([]string{"-w", "auto", "app:app"}, func(string) string { return "" }, t.TempDir())
		},
		"WEB_CONCURRENCY": func() (*Config, error) {
			env := func(name string) string { return map[string]string{"WEB_CONCURRENCY": "auto"}[name] }
			return Load([]string{"app:app"}, env, t.TempDir())
		},
	} {
		c, err := load()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.Workers != want {
			t.Errorf("%s: %d workers, want %d", name, c.Workers, want)
		}
	}
}
