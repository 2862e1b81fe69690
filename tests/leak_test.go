package tests

import (
	"os"
	"strings"
	"testing"
)

// leakStats is what pyapps/leak tells about its process: KiB, descriptors, threads of the system and of Python,
// allocated Python blocks.
type leakStats struct {
	RSS         int `json:"rss"`
	Descriptors int `json:"fds"`
	Threads     int `json:"threads"`
	Python      int `json:"python"`
	Blocks      int `json:"blocks"`
}

// leakShapes are the requests that are repeated; each closes its connection if the server does.
var leakShapes = []struct {
	name, request string
	responses     int // how many responses are read; 0 = the client resets the connection at once
}{
	{"list", get("/"), 1},
	{"counted body", post("/", "a small body"), 1},
	{"chunked body", chunked("/", "a small ", "body"), 1},
	{"pipelined", get("/") + post("/", "body") + get("/generator"), 3},
	{"generator", get("/generator"), 1},
	{"write", get("/write"), 1},
	{"file", get("/file"), 1},
	{"HEAD", "HEAD / HTTP/1.1\r\nHost: test\r\n\r\n", 1},
	{"old", "GET /generator HTTP/1.0\r\n\r\n", 1},
	{"closing", "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", 1},
	{"expect", "POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody", 2},
	{"exception", get("/fail"), 1},
	{"bad header", get("/bad-header"), 1},
	{"cut", get("/cut"), 1},
	{"malformed", "GET / HTTP/1.1\r\nHost : test\r\n\r\n", 1},
	{"reset", get("/generator"), 0},
}

// TestNothingLeaks repeats every shape of request; after a warm-up, memory, descriptors, threads and the
// interpreter's blocks stay where they are. PYHOST_SOAK=1 makes it a hundred times as long.
func TestNothingLeaks(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		rounds, allowedRSS := 2000/len(leakShapes), 4096
		if os.Getenv("PYTHONMALLOC") != "" {
			allowedRSS *= 2 // the C library's allocator fragments more than Python's own
		}
		if os.Getenv("PYHOST_SOAK") != "" {
			rounds, allowedRSS = 100*rounds, 8192
		}
		s := Start(t, Options{App: "leak", Kind: kind, Args: []string{"--keep-alive", "30"}})
		s.Allow(`on purpose|X-Bad|Invalid request`)
		for range max(rounds/4, 150) { // until the collector of the Go heap has had its first turns
			s.repeatShapes()
		}
		before := s.leakStats()
		for range rounds {
			s.repeatShapes()
		}
		after := s.leakStats()
		// Connections that were refused linger for up to two seconds: what was left of them before may be gone now, and
		// what is left now will be.
		eventually(t, "no more descriptors than before", func() bool {
			after = s.leakStats()
			return after.Descriptors <= before.Descriptors
		})
		t.Logf("before %+v, after %+v", before, after)
		// The Go runtime starts a thread now and then when many are in system calls.
		if after.Python != before.Python || after.Threads > before.Threads+8 {
			t.Errorf("threads: %+v, then %+v", before, after)
		}
		// Caches and free lists breathe; a leak of one object per request would be thousands of blocks.
		if grown := after.Blocks - before.Blocks; grown > 400+rounds/10 {
			t.Errorf("%d more blocks are allocated after %d rounds", grown, rounds)
		}
		if grown := after.RSS - before.RSS; grown > allowedRSS {
			t.Errorf("memory grew by %d KiB in %d rounds", grown, rounds)
		}
	})
}

// leakStats asks until the count of descriptors is at rest: closed connections leave a little later.
func (s *Server) leakStats() leakStats {
	s.t.Helper()
	var last, current leakStats
	eventually(s.t, "the process comes to rest", func() bool {
		last = current
		s.Get("/stats").JSON(s.t, &current)
		return current.Descriptors == last.Descriptors
	})
	return current
}

func (s *Server) repeatShapes() {
	s.t.Helper()
	c := s.Dial()
	for _, shape := range leakShapes {
		c.Send(shape.request)
		if shape.responses == 0 {
			c.Reset()
			c = s.Dial()
			continue
		}
		method, closes := strings.Fields(shape.request)[0], false
		for range shape.responses {
			r, err := readResponse(c.reader, method)
			if err != nil {
				s.t.Fatalf("%s: %v", shape.name, err)
			}
			// 100 Continue may be left out when the body is there already.
			closes = r.Closes() || r.Truncated || r.Proto == "HTTP/1.0" || r.Framing == "close"
			if shape.name == "expect" && r.Status == 200 {
				break
			}
			method = "GET"
		}
		if closes || shape.name == "old" {
			c.Close()
			c = s.Dial()
		}
	}
	c.Close()
	s.conns = s.conns[:0]
}
