// Package bench compares pyhost with other servers; it is written in Python, and so are its tests.
package bench

import (
	"os"
	"os/exec"
	"testing"
)

func TestPython(t *testing.T) {
	python := os.Getenv("PYTHON")
	if python == "" {
		python = "python3"
	}
	if _, err := exec.LookPath(python); err != nil {
		t.Skipf("no %s on the PATH", python)
	}
	if output, err := exec.Command(python, "-B", "-m", "unittest").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}
