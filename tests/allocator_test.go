package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Blocks of Python's pools lie close together. Where its memory comes from a malloc whose blocks do not, nobody looks
// for pools: that once took 64 MiB of each size. A free-threaded Python takes its memory from nobody else.
func TestMemoryOfAnotherAllocator(t *testing.T) {
	t.Parallel()
	compiler, err := exec.LookPath("cc")
	if err != nil || freeThreaded() || os.Getenv("ASAN_OPTIONS") != "" {
		t.Skip("no cc, no PYTHONMALLOC, or AddressSanitizer, which wants to be loaded first")
	}
	folder := t.TempDir()
	source, library := filepath.Join(folder, "spread.c"), filepath.Join(folder, "spread.so")
	const spread = `#include <stddef.h>
void *__libc_malloc(size_t);
void *malloc(size_t size) { return __libc_malloc(size + 128); }
`
	if err := os.WriteFile(source, []byte(spread), 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command(compiler, "-shared", "-fPIC", "-o", library, source).CombinedOutput(); err != nil {
		t.Skipf("no malloc of another C library: %v\n%s", err, output)
	}
	s := Start(t, Options{App: "hello", Env: []string{"PYTHONMALLOC=malloc", "LD_PRELOAD=" + library}})
	s.Get("/").Want(t, 200, "Hello, world!\n")
	if grown := residentKiB(t, s); grown > 200<<10 {
		t.Errorf("the worker has %d KiB in memory", grown)
	}
}
