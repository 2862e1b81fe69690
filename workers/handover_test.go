package workers

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/workers/socket"
)

// queuePair is the two ends of a generation's queue.
func queuePair(t *testing.T) (receive, send int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Close(fds[0])
		unix.Close(fds[1])
	})
	return fds[0], fds[1]
}

// with gives a worker under test access to a queue.
func with(receive, send int) func(*worker) {
	return func(w *worker) { w.handover = newHandover(w, receive, send) }
}

// What one worker gives away another serves, as if the client had come to it: what is unread, what is in memory, also
// where it is long, and what is in a file.
func TestHandOver(t *testing.T) {
	for name, k := range map[string]struct{ method, request, answer string }{
		"unread":  {"GET", get("/"), echoed("GET", "/", "none", "")},
		"small":   {"POST", post("/s", pattern(100)), echoed("POST", "/s", "memory", pattern(100))},
		"long":    {"POST", post("/l", pattern(200<<10)), echoed("POST", "/l", "memory", pattern(200<<10))},
		"spooled": {"POST", post("/f", pattern(700<<10)), echoed("POST", "/f", "file", pattern(700<<10))},
	} {
		for _, onUnix := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " unix ", onUnix), func(t *testing.T) {
				receive, send := queuePair(t)
				taker := start(t, options{tune: with(receive, send)})
				giver := prepare(t, options{unix: onUnix, tune: func(w *worker) {
					with(receive, send)(w)
					board, _ := scoreboardOnce()
					w.slot = board.Slot(1) // the other one has what all tests have
				}})
				client := giver.dial()
				sent := make(chan struct{})
				c := giver.w.acceptOne(giver.w.listeners[0].fd)
				go func() {
					fmt.Fprint(client, k.request)
					close(sent)
				}()
				if name == "unread" {
					<-sent
					c.hold(message{})
					giver.w.ready.push(c)
				} else {
					giver.w.lane.receive(c, nil)
				}
				eventually(t, "the request is whole", func() bool { return giver.w.ready.length() == 1 })
				if !giver.w.passOn() {
					t.Fatal("it was not given away")
				}
				if n := giver.w.table.count.Load(); n != 0 || giver.w.ready.length() != 0 {
					t.Errorf("the giver still has %d connections", n)
				}
				<-sent
				client.want(k.method, 200, k.answer)
				if n := taker.w.table.count.Load(); n != 1 {
					t.Errorf("the taker has %d connections", n)
				}
				client.get("/again")
			})
		}
	}
}

// A worker with worker_connections connections takes another one over: the oldest idle one gives way.
func TestHandOverToAFullWorker(t *testing.T) {
	receive, send := queuePair(t)
	giver := prepare(t, options{tune: func(w *worker) { // first: it resets the slot that the other has
		with(receive, send)(w)
		board, _ := scoreboardOnce()
		w.slot = board.Slot(1)
	}})
	taker := start(t, options{conns: 1, keepAlive: 60, tune: with(receive, send)})
	idle := taker.dial()
	idle.get("/idle")
	client := giver.dial().send(get("/"))
	c := giver.w.acceptOne(giver.w.listeners[0].fd)
	c.hold(message{})
	giver.w.ready.push(c)
	eventually(t, "it was given away", giver.w.passOn)
	client.want("GET", 200, echoed("GET", "/", "none", ""))
	idle.closed(patience)
	client.get("/again")
	client.Close() // before the descriptors of taker are counted
}

// A full queue leaves the connection where it is, and so does one that is sealed; nothing is lost.
func TestHandOverRefused(t *testing.T) {
	receive, send := queuePair(t)
	s := prepare(t, options{tune: with(receive, send)})
	filler := make([]byte, 16<<10)
	for unix.Send(send, filler, unix.MSG_DONTWAIT) == nil {
	}
	client := s.dial()
	client.send(get("/"))
	c := s.w.acceptOne(s.w.listeners[0].fd)
	c.hold(message{})
	s.w.ready.push(c)
	if s.w.passOn() {
		t.Fatal("a full queue took a connection")
	}
	for {
		if n, _ := socket.Receive(receive, filler); n <= 0 {
			break
		}
	}
	s.w.handover.seal()
	if s.w.passOn() || s.w.ready.length() != 1 {
		t.Fatal("a sealed queue took a connection")
	}
	s.run()
	client.want("GET", 200, echoed("GET", "/", "none", ""))
}

// What is no parcel is told, and does no harm.
func TestHandOverNonsense(t *testing.T) {
	receive, send := queuePair(t)
	s := start(t, options{tune: with(receive, send)})
	for _, packet := range []string{"nonsense", `{"l":0}`} {
		if err := unix.Send(send, []byte(packet), 0); err != nil {
			t.Fatal(err)
		}
	}
	s.wantLog("[ERROR] A connection from another worker is lost: it came without its descriptor")
	null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Sendmsg(send, []byte("nonsense"), unix.UnixRights(null), nil, 0); err != nil {
		t.Fatal(err)
	}
	unix.Close(null)
	s.wantLog("[ERROR] A connection from another worker is lost: its packet is not one of this server's")
	s.dial().get("/")
}

// Each event of a batch is taken once, whoever takes it.
func TestBatch(t *testing.T) {
	b := batch{events: make([]unix.EpollEvent, batchSize)}
	for i := range b.events {
		b.events[i].Fd = int32(i)
	}
	if _, ok := b.next(); ok {
		t.Fatal("an event before the first filling")
	}
	for range 1000 {
		b.fill(batchSize)
		taken := make(chan []int32, 2)
		for range 2 {
			go func() {
				var mine []int32
				for event, ok := b.next(); ok; event, ok = b.next() {
					mine = append(mine, event.Fd)
				}
				taken <- mine
			}()
		}
		all := append(<-taken, <-taken...)
		seen := map[int32]bool{}
		for _, fd := range all {
			seen[fd] = true
		}
		if len(all) != batchSize || len(seen) != batchSize {
			t.Fatalf("%d events were taken, %d different ones, of %d", len(all), len(seen), batchSize)
		}
	}
}
