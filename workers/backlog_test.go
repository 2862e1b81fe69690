package workers

import (
	"testing"

	"github.com/pyhost/pyhost/workers/scoreboard"
)

// crowdedWorker is a worker with one thread, which runs a request until leave, beside another that serves.
func crowdedWorker(t *testing.T, ownSockets bool) (s *server, other *scoreboard.Slot, busy *client, leave chan bool) {
	t.Helper()
	board, err := scoreboardOnce()
	if err != nil {
		t.Fatal(err)
	}
	other = board.Slot(1)
	t.Cleanup(other.Reset)
	other.SetPID(1)
	other.SetState(scoreboard.Ready)
	entered, leave := make(chan bool, 1), make(chan bool)
	s = start(t, options{tune: func(w *worker) { w.board, w.ownSockets = board, ownSockets }, app: func(c *call) {
		if c.environ("PATH_INFO") == "/block" {
			entered <- true
			<-leave
		}
		echo(c)
	}})
	busy = s.dial().send(get("/block"))
	<-entered
	return s, other, busy, leave
}

// Connections are none of a worker's whose threads are busy when it is told to stop, as long as another serves.
func TestBacklogIsLeftToOthers(t *testing.T) {
	s, _, busy, leave := crowdedWorker(t, false)
	l := sibling(t, s)
	defer l.Close()
	waiting := s.dial()
	s.w.stop(true)
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	waiting.closed(patience)
	leave <- true
	busy.want("GET", 200, echoed("GET", "/block", "none", ""))
}

// What the others do not take is served when a thread is free.
func TestBacklogThatNobodyTakes(t *testing.T) {
	s, _, busy, leave := crowdedWorker(t, false)
	waiting := s.dial().send(get("/waiting"))
	s.w.stop(true)
	if n := s.w.ready.length(); n != 0 {
		t.Fatalf("the worker took %d connections", n)
	}
	leave <- true
	busy.want("GET", 200, echoed("GET", "/block", "none", ""))
	waiting.want("GET", 200, echoed("GET", "/waiting", "none", ""))
}

// When the others leave, too, or have sockets of their own, what waits is the worker's, busy or not.
func TestBacklogThatOthersLeave(t *testing.T) {
	for name, ownSockets := range map[string]bool{"others leave": false, "reuse_port": true} {
		t.Run(name, func(t *testing.T) {
			s, other, busy, leave := crowdedWorker(t, ownSockets)
			waiting := s.dial().send(get("/waiting"))
			s.w.stop(true)
			other.SetState(scoreboard.Draining)
			eventually(t, "the connection is taken", func() bool { return s.w.ready.length() == 1 })
			leave <- true
			busy.want("GET", 200, echoed("GET", "/block", "none", ""))
			waiting.want("GET", 200, echoed("GET", "/waiting", "none", ""))
		})
	}
}

// The same holds for the generation's queue, which siblings empty, and another generation does not know.
func TestQueueIsLeftToSiblings(t *testing.T) {
	receive, send := queuePair(t)
	giver := prepare(t, options{tune: func(w *worker) {
		with(receive, send)(w)
		board, _ := scoreboardOnce()
		w.slot = board.Slot(2)
	}})
	s, sibling, busy, leave := crowdedWorker(t, false)
	s.w.handover = newHandover(s.w, receive, send)
	client := giver.dial().send(get("/"))
	c := giver.w.acceptOne(giver.w.listeners[0].fd)
	c.hold(message{})
	giver.w.ready.push(c)
	eventually(t, "it was given away", giver.w.passOn)
	s.w.stop(true)
	if n := s.w.ready.length(); n != 0 {
		t.Fatalf("the worker took %d connections", n)
	}
	sibling.SetCrew(1, 1) // another generation from now on
	eventually(t, "the connection is taken", func() bool { return s.w.ready.length() == 1 })
	leave <- true
	busy.want("GET", 200, echoed("GET", "/block", "none", ""))
	client.want("GET", 200, echoed("GET", "/", "none", ""))
	client.Close() // before the descriptors of s are counted
}
