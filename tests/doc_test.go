// Package tests is the black-box suite: every test starts the real pyhost binary with a tiny application from
// ../pyapps and talks to it over real sockets with raw bytes.
//
// The binary is $PYHOST_BIN (default ../bin/pyhost), the interpreter $PYHOST_PYTHON (default ../.venv/bin/python).
// After every test the harness checks what no test may leave behind: unexpected log lines, tracebacks, processes,
// descriptors, sockets, pid files (see harness_check_test.go).
package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

var binary, interpreter string

func TestMain(m *testing.M) {
	var err error
	if binary, err = locate("PYHOST_BIN", "../bin/pyhost", "run `make build` first"); err == nil {
		interpreter, err = locate("PYHOST_PYTHON", "../.venv/bin/python", "make a virtual environment with greenlet there")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tests:", err)
		os.Exit(1)
	}
	// Processes that a killed master leaves behind become ours, so that the suite sees and reaps them.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, "tests: becoming the subreaper:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// locate returns the absolute path of an executable; it does not resolve links, because a virtual environment's
// python is known by the path of its link.
func locate(variable, fallback, remedy string) (string, error) {
	path := os.Getenv(variable)
	if path == "" {
		path = fallback
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is missing: set %s, or %s", path, variable, remedy)
	}
	return path, nil
}
