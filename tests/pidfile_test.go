package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestPidFile(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		path := filepath.Join(t.TempDir(), "pid")
		// What a crashed server left behind names nobody: a process that has ended and been waited for.
		dead := exec.Command("true")
		if err := dead.Run(); err != nil {
			t.Fatal(err)
		}
		os.WriteFile(path, fmt.Appendln(nil, dead.Process.Pid), 0o644)
		s := Start(t, Options{App: "hello", Kind: kind, Args: []string{"--pid", path}})
		if content := contentOf(path); strings.TrimSpace(content) != itoa(s.PID) {
			t.Errorf("pid file %q, master %d", content, s.PID)
		}
		s.Get("/").Want(t, 200, "Hello, world!\n")

		second := Start(t, Options{App: "hello", Kind: kind, Args: []string{"--pid", path}, Cold: true})
		second.Allow(`Already running|already running|pid`)
		second.WaitExit(1)
		if !strings.Contains(second.Log(), itoa(s.PID)) {
			t.Errorf("the refusal does not name the running master %d", s.PID)
		}
		if content := contentOf(path); strings.TrimSpace(content) != itoa(s.PID) {
			t.Errorf("the refused server changed the pid file to %q", content)
		}
	})
}
