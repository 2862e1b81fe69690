package workers

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/wsgi"
)

// Who owns a connection. Only the owner touches it; ownership changes by compare-and-swap.
const (
	connIdle  int32 = iota // in the poller, waiting for a request
	connBusy               // a Python thread or the goroutine lane has it
	connMore               // busy, and the poller saw an event meanwhile: the owner must read again
	connClose              // being closed
)

// conn is a client's connection. Everything but the atomic fields belongs to its owner.
type conn struct {
	generation atomic.Uint32 // tells this connection from an older one with the same descriptor
	state      atomic.Int32
	since      atomic.Int64 // CLOCK_MONOTONIC ns at which it became idle
	answered   atomic.Bool  // a request was served on it
	ended      atomic.Bool  // the poller saw the end of what the client sends; it may lie behind unread bytes
	owned
}

// owned is what only the owner of a connection touches.
type owned struct {
	fd         int
	registered bool // in the poller
	guarded    bool // something comes before its first request, see worker.admit
	packets    bool // it speaks the uwsgi protocol
	own        bool // of this worker's own making: no other can serve it
	encrypted  bool // it speaks TLS; fd is the client's socket until the handshake is done
	facts      wsgi.Conn
	tunnel     *tunnel        // fd is the worker's end of it; nil without TLS. Such a connection cannot change its process
	peerText   [48]byte       // what facts has of the peer's address and port
	python     unsafe.Pointer // the C layer's side, see embedpy.DropConn
	message    *message       // a request on its way to a Python thread
	held       message        // what message points to, where nothing else has it
}

// hold makes m what the connection waits with.
func (c *conn) hold(m message) {
	c.held = m
	c.message = &c.held
}

// renew makes c a new connection. Those who came upon the old one, by an event or a look at the table, take it by claim
// if at all, and then it is this one: for an event that was another's they read once too often.
func (c *conn) renew(fd int, generation uint32) {
	c.generation.Store(generation)
	c.since.Store(0)
	c.answered.Store(false)
	c.ended.Store(false)
	c.owned = owned{fd: fd}
	c.state.Store(connBusy)
}

// isTCP tells whether fd is the client's TCP connection itself: no unix socket, nor this worker's end of a pair, which
// streams of HTTP/2 have, too.
func (c *conn) isTCP() bool {
	return !c.facts.ListenerUnix && c.tunnel == nil && !c.own && c.facts.Protocol == nil
}

// notify is claim for an event of the poller. The end must be noted first: whoever has the connection then reads up to
// it.
func (c *conn) notify(events uint32) bool {
	if events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		c.ended.Store(true)
	}
	return c.claim()
}

// claim makes an idle connection the caller's. If somebody else has it, they are told to look again.
func (c *conn) claim() bool {
	for {
		switch c.state.Load() {
		case connIdle:
			if c.state.CompareAndSwap(connIdle, connBusy) {
				return true
			}
		case connBusy:
			if c.state.CompareAndSwap(connBusy, connMore) {
				return false
			}
		default:
			return false
		}
	}
}

// release makes the connection idle. It reports false, and the caller keeps it, when the poller saw an event meanwhile.
func (c *conn) release(now int64) bool {
	c.since.Store(now)
	if c.state.CompareAndSwap(connBusy, connIdle) {
		return true
	}
	c.state.Store(connBusy)
	return false
}

// table finds connections by descriptor, from any thread.
type table struct {
	conns  []atomic.Pointer[conn]
	top    atomic.Int64 // one above the highest descriptor that was ever added
	count  atomic.Int64
	nextID atomic.Uint32
	spare  sync.Pool // of *conn that are closed: connections leave no garbage
}

// lastGeneration keeps generations, which start anew after it, below the poller's tags.
const lastGeneration = 1<<31 - 1

// newTable has room for descriptors below limit.
func newTable(limit int) *table {
	return &table{conns: make([]atomic.Pointer[conn], limit)}
}

// add registers an accepted descriptor; the connection starts busy, owned by the caller. It reports false when the
// descriptor is beyond the table.
func (t *table) add(fd int) (*conn, bool) {
	if fd >= len(t.conns) {
		return nil, false
	}
	c, _ := t.spare.Get().(*conn)
	if c == nil {
		c = new(conn)
	}
	c.renew(fd, t.nextID.Add(1)&lastGeneration)
	t.put(c)
	t.count.Add(1)
	return c, true
}

func (t *table) put(c *conn) {
	t.conns[c.fd].Store(c)
	for top := t.top.Load(); int64(c.fd) >= top && !t.top.CompareAndSwap(top, int64(c.fd)+1); top = t.top.Load() {
	}
}

// move gives a connection, which is the caller's and not in the poller, another descriptor; its own is closed. It
// reports false, and nothing has changed, when the descriptor is beyond the table.
func (t *table) move(c *conn, fd int) bool {
	if fd >= len(t.conns) {
		return false
	}
	t.forget(c)
	unix.Close(c.fd)
	c.fd = fd
	t.put(c)
	return true
}

// find returns the connection that an event was registered for, or nil if it is gone.
func (t *table) find(fd int, generation uint32) *conn {
	c := t.conns[fd].Load()
	if c == nil || c.generation.Load() != generation {
		return nil
	}
	return c
}

// forget comes before the connection's descriptor is closed and may come back as another's. It still counts.
func (t *table) forget(c *conn) { t.conns[c.fd].Store(nil) }

// recycle takes a closed connection that no goroutine keeps: its memory is another one's from now on.
func (t *table) recycle(c *conn) { t.spare.Put(c) }

// gone counts a connection out, of which nothing is left: when none is, the worker may end.
func (t *table) gone() { t.count.Add(-1) }

// each calls f for every connection that is there.
func (t *table) each(f func(*conn)) {
	for i := range t.top.Load() {
		if c := t.conns[i].Load(); c != nil {
			f(c)
		}
	}
}
