package workers

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// Many clients of all kinds at once, on few threads and with few connections allowed: every answer is its own
// request's, and afterwards nothing is left of any of them.
func TestStorm(t *testing.T) {
	const clients, rounds = 12, 25
	s := start(t, options{threads: 3, conns: clients / 2, app: answerBig})
	var running sync.WaitGroup
	for i := range clients {
		running.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for range rounds {
				s.storm(random)
			}
		})
	}
	running.Wait()
	eventually(t, "all connections are closed", func() bool { return s.w.table.count.Load() == 0 })
	if !s.w.isAccepting() {
		t.Error("the worker does not accept any more")
	}
}

// storm is one client's visit. It ends early where the client was so slow with its next request that its connection may
// have given way to another.
func (s *server) storm(random *rand.Rand) {
	before := time.Now() // it began with its last request then
	c, err := s.try()
	if err != nil {
		s.t.Error(err)
		return
	}
	defer c.Close()
	for range 1 + random.IntN(6) {
		now := time.Now()
		parts, wants := visit(random)
		for _, part := range parts {
			c.Write([]byte(part))
		}
		if len(wants) == 0 {
			c.reset()
			return
		}
		if time.Since(before) >= nextRequestGrace {
			if _, err := c.reader.Peek(1); err != nil {
				return
			}
		}
		for _, want := range wants {
			if s.check(c, want); want.status != 200 {
				return
			}
		}
		before = now
	}
}

// visit is what a client sends, and the answers to that; it does not wait for them if there are none.
func visit(random *rand.Rand) (parts []string, wants []response) {
	body := pattern(1 + random.IntN(2000))
	switch random.IntN(10) {
	case 0:
		return []string{post("/up", body)[:20+random.IntN(30)]}, nil
	case 1:
		return []string{get("/big")}, nil
	case 2:
		return []string{"BAD\r\n\r\n"}, []response{{status: 400}}
	case 3:
		body = pattern(inMemory + 1 + random.IntN(1000))
		return []string{post("/file", body)}, right(echoed("POST", "/file", "file", body))
	case 4:
		return []string{chunked("/up", body, 1+random.IntN(500))}, right(echoed("POST", "/up", "memory", body))
	case 5:
		request := post("/up", body)
		cut := random.IntN(len(request))
		return []string{request[:cut], request[cut:]}, right(echoed("POST", "/up", "memory", body))
	case 6:
		return []string{get("/1") + get("/2")}, right(echoed("GET", "/1", "none", ""), echoed("GET", "/2", "none", ""))
	}
	return []string{get("/")}, right(echoed("GET", "/", "none", ""))
}

// right are responses with these bodies.
func right(bodies ...string) (all []response) {
	for _, body := range bodies {
		all = append(all, response{status: 200, body: body})
	}
	return all
}

// check is client.want for goroutines; an empty body is any.
func (s *server) check(c *client, want response) {
	r, err := c.try("GET")
	if err != nil || r.status != want.status || (want.body != "" && r.body != want.body) {
		s.t.Errorf("got %d %.200q, %v, want %d %.200q", r.status, r.body, err, want.status, want.body)
	}
}
