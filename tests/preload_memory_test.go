package tests

import (
	"encoding/json"
	"os"
	"testing"
)

// What a worker allocates does not go between the objects that it shares with others: that would make a copy of each of
// their pages. Sixteen such pages stand for one that the objects fill.
func TestPreloadedObjectsStayShared(t *testing.T) {
	if freeThreaded() || os.Getenv("ASAN_OPTIONS") != "" {
		t.Skip("a free-threaded Python has another allocator, and so has AddressSanitizer")
	}
	s := Start(t, Options{App: "holes", Args: []string{"--preload"}})
	c := s.Dial()
	c.Roundtrip(get("/")) // what any first request makes private
	for _, kind := range []string{"/small", "/large"} {
		var kib struct{ Allocated, Private int }
		r := c.Roundtrip(get(kind))
		if err := json.Unmarshal([]byte(r.Body), &kib); err != nil {
			t.Fatalf("%s: %+v: %v", kind, r, err)
		}
		t.Logf("%s: %+v", kind, kib)
		if kib.Allocated < 500 || kib.Private > 4*kib.Allocated {
			t.Errorf("%s: %d KiB made %d KiB private", kind, kib.Allocated, kib.Private)
		}
	}
}
