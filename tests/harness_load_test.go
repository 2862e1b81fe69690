package tests

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// fate is how one request of a Load ended.
type fate string

const (
	served    fate = "served"
	refused   fate = "refused"   // no connection could be made
	reset     fate = "reset"     // the connection was reset before the response had begun
	empty     fate = "empty"     // it was closed before the response had begun
	truncated fate = "truncated" // the response was cut
	failed    fate = "failed"    // 5xx
	wrong     fate = "wrong"     // another status, or another body than the application's
	silent    fate = "silent"    // nothing came in time
	// raced: a kept connection that had served before was closed when the request was on its way. A client may send it
	// again (RFC 9112 9.3.1) and these do; a worker that is killed does it to all that waits in it.
	raced fate = "raced"
)

// Load is a number of clients that send one request after the other, half of them on connections of their own, half of
// them on kept ones, on all addresses of a server, until it ends.
type Load struct {
	t        *testing.T
	clients  int
	requests []string
	body     *regexp.Regexp
	pause    time.Duration

	stop  chan struct{}
	group sync.WaitGroup
	// Served counts the requests that were answered in order, while the load goes on.
	Served atomic.Int64

	mutex   sync.Mutex
	counts  map[fate]int
	losses  []loss
	longest time.Duration // that a request took which was answered in order
}

// loss is a request that was not answered in order.
type loss struct {
	at     time.Time
	kept   bool
	fate   fate
	detail string
}

func (l loss) String() string {
	kind := "fresh"
	if l.kept {
		kind = "kept"
	}
	return fmt.Sprintf("%s %s, %s connection: %s", l.at.Format("15:04:05.000"), l.fate, kind, l.detail)
}

// LoadOptions says what a Load sends; the zero value of each field is what most tests want.
type LoadOptions struct {
	Clients int           // per address and kind of connection; 0 means 2
	Paths   []string      // what each client asks for in turn; none means "/"
	Body    string        // a regular expression for the whole body; "" means any
	Pause   time.Duration // between two requests of a client; 0 means 2 ms
}

// full reports whether the load tests run as long as they are meant to, not as long as a test suite may.
func full() bool { return os.Getenv("PYHOST_LOAD") == "full" }

// Load begins to load the server.
func (s *Server) Load(o LoadOptions) *Load {
	l := &Load{t: s.t, clients: max(o.Clients, 1), pause: o.Pause, stop: make(chan struct{}), counts: map[fate]int{}}
	if o.Clients == 0 {
		l.clients = 2
	}
	if l.pause == 0 {
		l.pause = 2 * time.Millisecond
	}
	for _, path := range o.Paths {
		l.requests = append(l.requests, get(path))
	}
	if len(l.requests) == 0 {
		l.requests = []string{get("/")}
	}
	l.body = regexp.MustCompile(`(?s)^` + o.Body)
	if o.Body != "" {
		l.body = regexp.MustCompile(`(?s)^(?:` + o.Body + `)$`)
	}
	for _, address := range s.Addresses {
		for range l.clients {
			for _, keep := range []bool{true, false} {
				c := &loadClient{load: l, keep: keep}
				c.network, c.address = splitAddress(address)
				l.group.Go(c.run)
			}
		}
	}
	s.t.Cleanup(func() { l.end() })
	return l
}

// Await waits until so many more requests have been answered.
func (l *Load) Await(count int64) {
	l.t.Helper()
	before := l.Served.Load()
	what := fmt.Sprintf("%d more requests are answered", count)
	eventually(l.t, what, func() bool { return l.Served.Load() >= before+count })
}

func (l *Load) end() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.group.Wait()
}

// End ends the load and returns what was lost, without those that raced.
func (l *Load) End() []loss {
	l.end()
	var losses []loss
	for _, one := range l.losses {
		if one.fate != raced {
			losses = append(losses, one)
		}
	}
	l.t.Logf("load: %v, the longest took %v", l.counts, l.longest)
	return losses
}

// EndWithoutLoss ends the load and demands that every request was answered in order, the first time it was sent.
func (l *Load) EndWithoutLoss() {
	l.t.Helper()
	l.end()
	l.t.Logf("load: %v, the longest took %v", l.counts, l.longest)
	for i, one := range l.losses {
		if i == 10 {
			l.t.Errorf("... and %d more", len(l.losses)-i)
			break
		}
		l.t.Errorf("lost: %s", one)
	}
	if l.counts[served] == 0 {
		l.t.Error("no request was answered")
	}
}

func (l *Load) note(c *loadClient, how fate, detail string, took time.Duration) {
	if how == served {
		l.Served.Add(1)
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.counts[how]++
	if how == served {
		l.longest = max(l.longest, took)
	}
	if how != served {
		l.losses = append(l.losses, loss{time.Now(), c.keep, how, detail})
	}
}

// loadClient is one client of a Load.
type loadClient struct {
	load             *Load
	network, address string
	keep             bool
	connection       net.Conn // nil between two
	reader           *bufio.Reader
	used             int // requests answered on it
}

func (c *loadClient) run() {
	for n := 0; ; n++ {
		select {
		case <-c.load.stop:
			c.hangUp()
			return
		case <-time.After(c.load.pause):
		}
		begin := time.Now()
		how, detail := c.once(c.load.requests[n%len(c.load.requests)])
		c.load.note(c, how, detail, time.Since(begin))
	}
}

func (c *loadClient) hangUp() {
	if c.connection != nil {
		c.connection.Close()
		c.connection = nil
	}
}

// once sends a request and says how it ended.
func (c *loadClient) once(request string) (fate, string) {
	if c.connection == nil {
		connection, err := net.DialTimeout(c.network, c.address, patience)
		if err != nil {
			return refused, err.Error()
		}
		c.connection, c.reader, c.used = connection, bufio.NewReader(connection), 0
	}
	c.connection.SetDeadline(time.Now().Add(patience))
	// Where the server closed the connection while it was idle, the end of file is there before the request is sent: any
	// client that keeps connections looks for it.
	if c.used > 0 && c.ended() {
		c.hangUp()
		return c.once(request)
	}
	_, err := io.WriteString(c.connection, request)
	if err == nil {
		_, err = c.reader.Peek(1)
	}
	if err != nil {
		how := c.unanswered(err)
		detail := fmt.Sprintf("%v after %d requests on the connection from %v", err, c.used, c.connection.LocalAddr())
		c.hangUp()
		return how, detail
	}
	r, err := readResponse(c.reader, "GET")
	if err != nil || r.Truncated {
		c.hangUp()
		return truncated, fmt.Sprint(err)
	}
	c.used++
	if r.Closes() || !c.keep {
		c.hangUp()
	}
	switch {
	case r.Status >= 500:
		return failed, fmt.Sprintf("%d %.100q", r.Status, r.Body)
	case r.Status != 200 || !c.load.body.MatchString(r.Body):
		return wrong, fmt.Sprintf("%d %.100q", r.Status, r.Body)
	}
	return served, ""
}

// ended reports whether the server has closed the connection.
func (c *loadClient) ended() bool {
	raw, err := c.connection.(syscall.Conn).SyscallConn()
	if err != nil {
		return true
	}
	var n int
	var errno error
	err = raw.Read(func(fd uintptr) bool {
		n, _, errno = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return true
	})
	return err != nil || n >= 0 && errno == nil || !errors.Is(errno, syscall.EAGAIN)
}

func (c *loadClient) unanswered(err error) fate {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return silent
	case c.used > 0:
		return raced
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		return reset
	}
	return empty
}
