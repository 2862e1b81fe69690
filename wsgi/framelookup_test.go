package wsgi

import (
	"testing"
)

// custom appends an entry whose key is spelled out.
func (f *Frame) custom(key, value string) {
	f.begin(CustomKey|uint32(len(key)), len(value))
	f.Buf = append(append(f.Buf, key...), value...)
}

func TestFrameLookup(t *testing.T) {
	var f Frame
	if _, ok := f.Lookup("PATH_INFO"); ok {
		t.Error("an empty frame has a variable")
	}
	f.put(keyIndex(t, "PATH_INFO"), []byte("/a"))
	f.custom("HTTP_X_OWN", "1")
	f.put(keyIndex(t, "QUERY_STRING"), nil)
	f.custom("HTTP_X_EMPTY", "")
	f.put(keyIndex(t, "HTTP_HOST"), []byte("last"))
	for _, k := range []struct {
		name, want string
		found      bool
	}{
		{"PATH_INFO", "/a", true}, {"path_info", "/a", true}, {"Path_Info", "/a", true},
		{"HTTP_X_OWN", "1", true}, {"http_x_own", "1", true},
		{"QUERY_STRING", "", true}, {"http_x_empty", "", true},
		{"HTTP_HOST", "last", true},
		{"HTTP_X_OW", "", false}, {"HTTP_X_OWNS", "", false}, {"", "", false}, {"REMOTE_ADDR", "", false},
	} {
		if value, ok := f.Lookup(k.name); string(value) != k.want || ok != k.found {
			t.Errorf("%s: %q, %v", k.name, value, ok)
		}
	}
}

// Only the frame's own entries count, not what an earlier request left behind them in the buffer.
func TestFrameLookupStopsAtTheEnd(t *testing.T) {
	var f Frame
	f.custom("A", "1")
	f.custom("B", "2")
	f.Entries = 1
	if _, ok := f.Lookup("B"); ok {
		t.Error("a variable behind the last entry is found")
	}
}

func TestFrameLookupAllocatesNothing(t *testing.T) {
	var f Frame
	f.custom("HTTP_X_OWN", "1")
	f.put(keyIndex(t, "PATH_INFO"), []byte("/a"))
	if n := testing.AllocsPerRun(100, func() { f.Lookup("path_info") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func keyIndex(t *testing.T, name string) uint32 {
	t.Helper()
	for i, key := range Keys {
		if key == name {
			return uint32(i)
		}
	}
	t.Fatalf("%s is not in Keys", name)
	return 0
}
