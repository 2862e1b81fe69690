package arbiter

import (
	"os"
	"strings"
	"testing"
)

// Where /proc is not mounted, the error that the kernel gives names nothing.
func TestForkserverNotStarted(t *testing.T) {
	const hint = "/proc, which is not mounted"
	for proc, want := range map[string]bool{"/proc": false, t.TempDir(): true} {
		err := notStarted(os.ErrNotExist, proc)
		if got := strings.Contains(err.Error(), hint); got != want {
			t.Errorf("%s: %v", proc, err)
		}
	}
}
