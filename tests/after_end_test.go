package tests

import (
	"strings"
	"testing"
)

// close() and __del__ run when the response is complete: what they write would be taken for the next one's beginning.
func TestWritingFromCloseIsRefused(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "after_end", Kind: kind, Args: []string{"--keep-alive", "60"}})
		c := s.Dial()
		for _, path := range []string{"/close_writes", "/close_hints", "/finalizer_writes"} {
			c.Roundtrip(get(path)).Want(t, 200, "body")
			c.Roundtrip(get("/raised")).Want(t, 200, "RuntimeError")
		}
	})
}

// A start_response() that evaluates its arguments until its request is over changes nothing of the next one, which the
// same thread serves with the same buffers.
func TestStartResponseThatLastsTooLong(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "after_end", Kind: syncKind})
	for path, raised := range map[string]string{"/headers_last": "RuntimeError", "/repr_lasts": "TypeError"} {
		s.Expect(`Error handling request GET ` + path + `\s.*the request fails meanwhile`)
		wantErrorPage(t, s.Get(path))
		r := s.Get("/resume").Want(t, 200, raised)
		if r.Value("X-Late") != "" || r.Value("X-Later") != "" || r.Value("Content-Type") != "text/plain" {
			t.Errorf("%s changed the next response: %v", path, r.Fields)
		}
	}
}

// The request ends when the write() that another thread is in has ended, and not in the middle of it.
func TestWriteInAThreadIsWaitedFor(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "after_end", Kind: kind, Args: []string{"--keep-alive", "60"}, Env: []string{gate.Env()}})
		c := s.Dial()
		c.Send(get("/thread_writes"))
		visitor := gate.Await()
		if beginning, err := c.reader.Peek(1000); err != nil { // the thread is in write(); the client takes no more
			t.Fatalf("no beginning: %v, %.100q", err, beginning)
		}
		visitor.Release()
		if r := c.Next("GET").Want(t, 200, strings.Repeat("b", 4<<20)); r.Truncated {
			t.Error("truncated")
		}
		c.Roundtrip(get("/close_writes")).Want(t, 200, "body")
	})
}

// Blocks of threads that write at the same time are not mixed.
func TestConcurrentWrites(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "after_end", Kind: kind, Args: []string{"--keep-alive", "60"}})
		c := s.Dial()
		for range 3 {
			r := c.Roundtrip(get("/threads_write"))
			blocks := strings.NewReplacer(strings.Repeat("a", 100000), "A", strings.Repeat("b", 100000), "B").Replace(r.Body)
			if r.Truncated || strings.Count(blocks, "A") != 20 || strings.Count(blocks, "B") != 20 || len(blocks) != 41 {
				t.Errorf("truncated: %v, %d bytes, blocks %.60q", r.Truncated, len(r.Body), blocks)
			}
		}
	})
}
