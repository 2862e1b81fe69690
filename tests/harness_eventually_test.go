package tests

import (
	"testing"
	"time"
)

// patience bounds every wait of the suite: generous, because a test that waits as long has failed anyway.
const patience = 20 * time.Second

// within polls a condition and reports whether it came true in time.
func within(limit time.Duration, condition func() bool) bool {
	deadline := time.Now().Add(limit)
	for pause := time.Millisecond; !condition(); pause = min(2*pause, 20*time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(pause)
	}
	return true
}

// eventually polls a condition until it holds; the test fails if that takes longer than the suite's patience.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	if !within(patience, condition) {
		t.Fatalf("did not happen within %v: %s", patience, what)
	}
}
