package tests

import (
	"io"
	"testing"
)

// threadReport is what pyapps/threads answers.
type threadReport struct {
	Ident        int    `json:"ident"`
	Main         bool   `json:"main"`
	ImportThread bool   `json:"import thread"`
	Class        string `json:"class"`
	Listed       bool   `json:"listed"`
	Local        int    `json:"local"`
	Variable     int    `json:"variable"`
	Multithread  bool   `json:"multithread"`
	Daemons      bool   `json:"starts daemons"`
}

func TestSyncRunsOnTheMainThread(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "threads", Kind: syncKind})
	for i := range 10 {
		var report threadReport
		s.Get("/").JSON(t, &report)
		if !report.Main || !report.ImportThread || report.Local != i+1 || report.Variable != i+1 {
			t.Errorf("request %d: %+v", i, report)
		}
	}
}

// Each thread keeps its identity, its threading.local and its context variables over all requests it serves,
// and is one that threading knows.
func TestThreadIdentity(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "threads", Kind: kind, Env: []string{gate.Env()}})
		requests := map[int]int{}
		note := func(r *Response) {
			var report threadReport
			r.JSON(t, &report)
			requests[report.Ident]++
			if n := requests[report.Ident]; report.Local != n || report.Variable != n {
				t.Errorf("request %d of a thread: %+v", n, report)
			}
			if !report.Listed || report.Class == "_DummyThread" {
				t.Errorf("a thread that threading does not know: %+v", report)
			}
			if report.Daemons {
				t.Errorf("what the application starts would be cut off when the worker ends: %+v", report)
			}
		}
		for range 5 {
			// All threads at once: everybody is inside before anybody may leave.
			var conns []*Conn
			var visitors []*Visitor
			for range kind.Threads {
				c := s.Dial()
				c.Send(get("/gate"))
				conns = append(conns, c)
				visitors = append(visitors, gate.Await())
			}
			for _, visitor := range visitors {
				visitor.Release()
			}
			for _, c := range conns {
				note(c.Next("GET"))
			}
			note(s.Get("/"))
		}
		if len(requests) != kind.Threads {
			t.Errorf("%d threads served, want %d", len(requests), kind.Threads)
		}
	})
}

func TestApplicationThreads(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "app_threads", Kind: kind})
		for range 10 {
			s.Get("/join").Want(t, 200, "190")
		}
	})
}

// Threads of the application run on while the server waits for requests: an idle worker does not keep the GIL.
func TestApplicationThreadsRunWhileIdle(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		gate := NewGate(t)
		s := Start(t, Options{App: "app_threads", Kind: kind, Env: []string{gate.Env()}})
		s.Get("/tick").Want(t, 200, "ticking")
		visitor := gate.Await()
		if _, err := io.ReadFull(visitor, make([]byte, 20)); err != nil {
			t.Errorf("reading ticks: %v", err)
		}
		visitor.Close()
		s.forgetDescriptors() // the thread closes its socket when it next ticks
	})
}

// What a thread has taken from the poller together with a request that blocks is another thread's: one that is free
// serves all of it.
func TestNothingWaitsBehindABlockedThread(t *testing.T) {
	t.Parallel()
	const burst, rounds = 40, 120
	gate := NewGate(t)
	s := Start(t, Options{App: "threads", Kind: gthreadKind, Env: []string{gate.Env()}})
	var conns, blocked []*Conn
	for range burst {
		conns = append(conns, s.Dial())
	}
	for range gthreadKind.Threads - 1 {
		blocked = append(blocked, s.Dial())
	}
	for round := range rounds {
		busy := conns[:1+round*7%burst] // few threads stand by for a small burst, all for a large one
		for i, c := range busy {
			c.Send(get("/"))
			for _, b := range blocked[len(blocked)*i/len(busy) : len(blocked)*(i+1)/len(busy)] {
				b.Send(get("/gate"))
			}
		}
		for _, c := range busy {
			c.Next("GET").JSON(t, new(threadReport))
		}
		for range blocked {
			gate.Await().Release()
		}
		for _, c := range blocked {
			c.Next("GET").JSON(t, new(threadReport))
		}
	}
}
