package workers

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pyhost/pyhost/workers/socket"
	"github.com/pyhost/pyhost/wsgi"
)

func TestHeartbeatPeriod(t *testing.T) {
	for timeout, want := range map[int]time.Duration{
		0: time.Second, 30: time.Second, 4: time.Second, 2: 500 * time.Millisecond, 1: 250 * time.Millisecond,
	} {
		if got := heartbeatPeriod(timeout); got != want {
			t.Errorf("timeout %d: %v, want %v", timeout, got, want)
		}
	}
}

func TestIdentify(t *testing.T) {
	trusted, err := wsgi.ParseTrusted([]string{"127.0.0.1", "10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{trusted: trusted, listeners: []listener{{fd: 7}, {fd: 9, unix: true}}}
	for _, k := range []struct {
		fd   int
		addr string
		want wsgi.Conn
	}{
		{7, "127.0.0.1", wsgi.Conn{RemoteAddr: []byte("127.0.0.1"), RemotePort: []byte("80"), Trusted: true}},
		{7, "::ffff:10.1.2.3", wsgi.Conn{RemoteAddr: []byte("10.1.2.3"), RemotePort: []byte("80"), Trusted: true}},
		{7, "192.0.2.1", wsgi.Conn{RemoteAddr: []byte("192.0.2.1"), RemotePort: []byte("80")}},
		{7, "2001:db8::1", wsgi.Conn{RemoteAddr: []byte("2001:db8::1"), RemotePort: []byte("80")}},
		{9, "", wsgi.Conn{Listener: 1, ListenerUnix: true, Trusted: true}},
	} {
		var peer socket.Peer
		if k.addr != "" {
			peer = socket.Peer{Addr: netip.MustParseAddr(k.addr), Port: 80}
		}
		c := new(conn)
		w.identify(c, k.fd, peer)
		got := c.facts
		if string(got.RemoteAddr) != string(k.want.RemoteAddr) || string(got.RemotePort) != string(k.want.RemotePort) ||
			got.Listener != k.want.Listener || got.ListenerUnix != k.want.ListenerUnix || got.Trusted != k.want.Trusted {
			t.Errorf("%s on %d: %+v", k.addr, k.fd, got)
		}
	}
}

// A Python signal handler that is due runs on the main thread, also while that waits; sys.exit() in it drains the
// worker.
func TestSignalHandlers(t *testing.T) {
	results := make(chan string, 2)
	results <- "Traceback: boom"
	results <- "exit"
	s := prepare(t, options{tune: func(w *worker) {
		w.pollLimit = 10
		w.python.(*fakePython).signal = func() (bool, string) {
			text := <-results
			return text == "exit", strings.TrimPrefix(text, "exit")
		}
	}})
	s.run()
	s.w.signalsDue.Store(true)
	s.wantLog("[ERROR] Exception in a signal handler\nTraceback: boom")
	s.dial().get("/")
	s.w.signalsDue.Store(true)
	<-s.finished
	s.wantLog("[INFO] A signal handler of the application called sys.exit()")
}
