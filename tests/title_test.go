package tests

import (
	"path/filepath"
	"strings"
	"testing"
)

// ps tells which process is which, of which application.
func TestProcessTitles(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		for _, c := range []struct {
			args []string
			name string
		}{
			{nil, "wsgi:application"},
			{[]string{"-n", "shop"}, "shop"},
			{[]string{"-c", filepath.Join(writeFiles(t, map[string]string{"c.py": "proc_name = 'site'"}), "c.py")}, "site"},
		} {
			s := Start(t, Options{App: "process", Kind: kind, Args: c.args})
			report := s.process()
			for _, want := range []struct {
				pid  int
				role string
			}{
				{s.PID, "master"}, {report.PID, "worker"}, {report.Parent, "forkserver"},
			} {
				p := readProcess(want.pid)
				if title := "pyhost: " + want.role + " [" + c.name + "]"; strings.TrimSpace(p.title) != title {
					t.Errorf("process %d is called %q, want %q", want.pid, p.title, title)
				}
			}
		}
	})
}
