package tests

import (
	"os"
	"syscall"
	"testing"
)

// smallDisk is a file system in memory that is full soon; the test is skipped where it cannot be mounted.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may mount a file system")
	}
	directory := t.TempDir()
	if err := syscall.Mount("tmpfs", directory, "tmpfs", 0, "size="+size+",mode=777"); err != nil {
		t.Skipf("mounting a small tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(directory, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmounting %s: %v", directory, err)
		}
	})
	return directory
}
