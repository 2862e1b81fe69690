package workers

import (
	"testing"

	"github.com/pyhost/pyhost/config"
)

func TestRetirementHasJitter(t *testing.T) {
	seen := map[uint64]bool{}
	for range 100 {
		r := newRetirement(&config.Config{MaxRequests: 100, MaxRequestsJitter: 10}, nil)
		if r.after < 100 || r.after > 110 {
			t.Fatalf("after %d requests", r.after)
		}
		seen[r.after] = true
	}
	if len(seen) < 2 {
		t.Error("always the same")
	}
	if r := newRetirement(&config.Config{MaxRequestsJitter: 10}, nil); r.after != 0 {
		t.Errorf("without max_requests: after %d", r.after)
	}
}
