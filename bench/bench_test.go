// Package bench compares pyhost with other servers; it is written in Python, and so are its tests.
package bench

import (
	"os"
	"os/exec"
	"path/filepath"
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
	// go test runs a test again when a file has changed that the test itself has looked at.
	for _, pattern := range []string{"*.py", "wrk/*", "floor/*", "../pyapps/bench_*/*.py"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no files %s: %v", pattern, err)
		}
		for _, file := range files {
			if _, err := os.Stat(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	if output, err := exec.Command(python, "-B", "-m", "unittest").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}
