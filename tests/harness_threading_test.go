package tests

import (
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// freeThreaded reports whether the suite's Python has no GIL (PEP 703).
var freeThreaded = sync.OnceValue(func() bool {
	out, _ := exec.Command(interpreter, "-c", "import sys; print(sys.version)").Output()
	return strings.Contains(string(out), "free-threading build")
})

// requireModule skips a test of a package that cannot be installed for every Python. A free-threaded one lacks those
// whose C does without the GIL only in newer releases; elsewhere a missing one is a failure.
func requireModule(t *testing.T, name string) {
	t.Helper()
	if hasModule(name) {
		return
	}
	if freeThreaded() {
		t.Skipf("%s is free-threaded and has no %s: there is none for it", interpreter, name)
	}
	t.Fatalf("%s has no %s: install it there", interpreter, name)
}

func hasModule(name string) bool {
	return exec.Command(interpreter, "-c", "import "+name).Run() == nil
}
