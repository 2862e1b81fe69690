package workers

import (
	"math/rand/v2"
	"sync"
	"testing"
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

// storm is one client's visit.
func (s *server) storm(random *rand.Rand) {
	c, err := s.try()
	if err != nil {
		s.t.Error(err)
		return
	}
	defer c.Close()
	for range 1 + random.IntN(6) {
		body := pattern(1 + random.IntN(2000))
		switch random.IntN(10) {
		case 0:
			c.Write([]byte(post("/up", body)[:20+random.IntN(30)]))
			c.reset()
			return
		case 1:
			c.Write([]byte(get("/big")))
			c.reset()
			return
		case 2:
			c.Write([]byte("BAD\r\n\r\n"))
			s.check(c, 400, "")
			return
		case 3:
			body = pattern(inMemory + 1 + random.IntN(1000))
			c.Write([]byte(post("/file", body)))
			s.check(c, 200, echoed("POST", "/file", "file", body))
		case 4:
			c.Write([]byte(chunked("/up", body, 1+random.IntN(500))))
			s.check(c, 200, echoed("POST", "/up", "memory", body))
		case 5:
			request := post("/up", body)
			cut := random.IntN(len(request))
			c.Write([]byte(request[:cut]))
			c.Write([]byte(request[cut:]))
			s.check(c, 200, echoed("POST", "/up", "memory", body))
		case 6:
			c.Write([]byte(get("/1") + get("/2")))
			s.check(c, 200, echoed("GET", "/1", "none", ""))
			s.check(c, 200, echoed("GET", "/2", "none", ""))
		default:
			c.Write([]byte(get("/")))
			s.check(c, 200, echoed("GET", "/", "none", ""))
		}
	}
}

// check is client.want for goroutines; body "" = any.
func (s *server) check(c *client, status int, body string) {
	r, err := c.try("GET")
	if err != nil || r.status != status || (body != "" && r.body != body) {
		s.t.Errorf("got %d %.200q, %v, want %d %.200q", r.status, r.body, err, status, body)
	}
}
