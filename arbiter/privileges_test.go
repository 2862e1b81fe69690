package arbiter

import (
	"math"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// A container's root may be one that can make workers another user's and then cannot kill them.
func TestMissingRights(t *testing.T) {
	const all = math.MaxUint64
	for _, c := range []struct {
		effective uint64
		foreign   bool
		want      []string
	}{
		{all, true, nil},
		{0, true, []string{"CAP_SETUID", "CAP_SETGID", "CAP_KILL"}},
		{all &^ (1 << unix.CAP_KILL), true, []string{"CAP_KILL"}},
		{all &^ (1 << unix.CAP_KILL), false, nil},
		{1<<unix.CAP_SETGID | 1<<unix.CAP_KILL, true, []string{"CAP_SETUID"}},
	} {
		if got := missingRights(c.effective, c.foreign); !slices.Equal(got, c.want) {
			t.Errorf("%x, other user %v: %v is missing, want %v", c.effective, c.foreign, got, c.want)
		}
	}
}
