package tests

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// tool finds a program that the test needs. Without it the test is skipped; in CI that is a failure.
func tool(t *testing.T, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	remedy := fmt.Sprintf("%s is not installed; Debian, Ubuntu: apt install %s", name, name)
	if os.Getenv("CI") != "" {
		t.Fatal(remedy)
	}
	t.Skip(remedy)
	return ""
}
