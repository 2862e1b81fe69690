package workers

import (
	"testing"
	"time"
)

// big is larger than what sockets on loopback take at once.
var big = pattern(8 << 20)

func answerBig(c *call) {
	if c.environ("PATH_INFO") == "/big" {
		c.answer(200, big)
		return
	}
	echo(c)
}

// A reader that is slow costs no Python thread, and its connection goes on afterwards, with what it has sent meanwhile.
func TestSlowReader(t *testing.T) {
	for name, behind := range map[string]string{
		"nothing behind":    "",
		"pipelined":         get("/next"),
		"half a pipelined":  "GET /next HTTP/1.1\r\n",
		"body in the lane":  post("/up", pattern(100000)),
		"pipelined refusal": "BAD\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, options{app: answerBig})
			c := s.dial().send(get("/big") + behind)
			eventually(t, "the response does not fit", func() bool { return s.fake.tails.Load() == 1 })
			s.dial().get("/the-only-thread-is-free")
			c.want("GET", 200, big)
			switch name {
			case "nothing behind":
				c.get("/next")
			case "pipelined":
				c.want("GET", 200, echoed("GET", "/next", "none", ""))
			case "half a pipelined":
				c.send("Host: x\r\n\r\n").want("GET", 200, echoed("GET", "/next", "none", ""))
			case "body in the lane":
				c.want("POST", 200, echoed("POST", "/up", "memory", pattern(100000)))
			case "pipelined refusal":
				if r := c.next("GET"); r.status != 400 {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

// The last response arrives whole although the client sends on: a close with unread bytes in the socket would be a
// reset, which throws away what is not delivered yet.
func TestLastResponseIsNotResetAway(t *testing.T) {
	entered, leave := make(chan bool, 1), make(chan bool)
	answer := pattern(100000)
	s := start(t, options{app: func(c *call) {
		entered <- true
		<-leave
		c.ignore()
		c.answer(200, answer)
	}})
	const last = "GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	const expecting = "POST /big HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
	for name, sent := range map[string][2]string{
		"read with the request": {last + get("/b"), ""},
		"sent meanwhile":        {last, get("/b")},
		"body not asked for":    {expecting, "hello"},
	} {
		t.Run(name, func(t *testing.T) {
			s.in(t)
			c := s.dialSmall().send(sent[0])
			<-entered
			c.send(sent[1])
			leave <- true
			// The response now lies in the server's socket: what happens to that decides.
			within(100*time.Millisecond, func() bool { return s.w.table.count.Load() == 0 })
			c.want("GET", 200, answer)
			c.closed(patience)
		})
	}
}

// A client that takes nothing, or leaves, loses its connection and what was kept for it.
func TestTailOfALostClient(t *testing.T) {
	s := start(t, options{app: answerBig, tune: func(w *worker) { w.timeouts.write = 100 * time.Millisecond }})
	stalled, reset := s.dial().send(get("/big")), s.dial().send(get("/big"))
	eventually(t, "both responses do not fit", func() bool { return s.fake.calls.Load() == 2 })
	reset.reset()
	eventually(t, "both connections are closed", func() bool { return s.w.table.count.Load() == 0 })
	s.wantLog("Client ip=127.0.0.1 did not take its response")
	stalled.Close()
}

// While the worker drains a response goes out whole, and the connection ends with it.
func TestDrainAndASlowReader(t *testing.T) {
	s := start(t, options{app: answerBig})
	c := s.dial().send(get("/big"))
	eventually(t, "the response does not fit", func() bool { return s.fake.tails.Load() == 1 })
	s.w.stop(true)
	c.want("GET", 200, big)
	c.closed(patience)
}
