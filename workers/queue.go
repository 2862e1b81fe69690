package workers

import (
	"bytes"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/logging"
	"github.com/pyhost/pyhost/protocol/http1"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/socket"
)

// patienceOfClients is how long a request must have waited before its client's absence counts: one that has merely said
// all that it has to say, and hung up that half of the connection, is served in the ordinary course of things.
const patienceOfClients = 50 * time.Millisecond

// queue bounds how many requests wait for a thread of the worker, and for how long (queue_limit, queue_timeout); 0 = no
// bound.
type queue struct {
	w     *worker
	limit int
	time  time.Duration
}

func (q *queue) limited() bool { return q.limit > 0 || q.time > 0 }

// enforce turns away what waits too long, or is too much, and drops what nobody waits for any more.
func (q *queue) enforce(now int64) {
	count, oldest := q.w.ready.oldest()
	q.w.slot.SetWaiting(count, oldest)
	for {
		c := q.w.ready.steal(func(c *conn) bool { return q.w.left(c, now) })
		if c == nil {
			break
		}
		q.w.dropLeft(c)
	}
	for q.time > 0 {
		c := q.w.ready.steal(func(c *conn) bool { return now-c.message.since > int64(q.time) })
		if c == nil {
			break
		}
		q.refuse(c, "queue_timeout")
	}
	for n := q.w.ready.length() - q.limit; q.limit > 0 && n > 0; n-- {
		c := q.w.ready.stealNewest()
		if c == nil {
			break
		}
		q.refuse(c, "queue_limit")
	}
}

// refuse answers 503 (RFC 9110 15.6.4).
func (q *queue) refuse(c *conn, setting string) {
	line := c.requestLine()
	waited := time.Duration(scoreboard.Now() - c.message.since)
	q.w.log.Warning("Busy: %q from ip=%s waited %.2f s for a thread, refused by %s (503)", line, c.peer(),
		waited.Seconds(), setting)
	page := http1.ErrorResponse(503, "")
	retry := strconv.Itoa(max(1, int(q.time.Seconds())))
	page = bytes.Replace(page, []byte("\r\n"), []byte("\r\nRetry-After: "+retry+"\r\n"), 1)
	if bytes.HasPrefix(line, []byte("HEAD ")) {
		page = page[:bytes.Index(page, []byte("\r\n\r\n"))+4]
	}
	q.w.logRefused(c, line, logging.Refused, 503, page)
	c.discard()
	q.w.lane.finish(c, page)
}

// left reports whether the client of a request that has waited for a while is not there any more. On TCP nothing tells
// a client that has gone from one that has only finished sending; as most servers do, the former is assumed.
func (w *worker) left(c *conn, now int64) bool {
	if now-c.message.since < int64(patienceOfClients) || c.packets {
		return false
	}
	events := int16(unix.POLLHUP | unix.POLLERR)
	if !c.facts.ListenerUnix {
		events |= unix.POLLRDHUP
	}
	return socket.Ready(c.fd, events)
}

// leftBacklog is left for a connection that has just been accepted, and may have waited for that. It ends the
// connection if so.
func (w *worker) leftBacklog(c *conn) bool {
	if c.guarded || !socket.Ready(c.fd, unix.POLLRDHUP|unix.POLLHUP) {
		return false
	}
	if !c.facts.ListenerUnix {
		info, err := unix.GetsockoptTCPInfo(c.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil || time.Duration(info.Last_data_recv)*time.Millisecond < patienceOfClients {
			return false
		}
	} else if !socket.Ready(c.fd, unix.POLLHUP) {
		return false
	}
	c.hold(message{})
	if len(c.requestLine()) == 0 { // it never asked for anything
		c.message = nil
		return false
	}
	w.dropLeft(c)
	return true
}

// dropLeft ends a request unrun.
func (w *worker) dropLeft(c *conn) {
	line := c.requestLine()
	w.log.Info("Client ip=%s left before its request was run: %q", c.peer(), line)
	w.logRefused(c, line, logging.ClientGone, 0, nil)
	c.discard()
	w.close(c)
}

// discard frees what a waiting request holds.
func (c *conn) discard() {
	if m := c.message; m != nil && m.file != nil {
		m.file.Close()
	}
	c.message = nil
}

// requestLine is the beginning of the request that c waits with.
func (c *conn) requestLine() []byte {
	head := c.message.raw
	if len(head) == 0 {
		head = make([]byte, 4<<10)
		n, _ := socket.Peek(c.fd, head)
		head = head[:max(n, 0)]
	}
	line, _, _ := bytes.Cut(c.line(head), []byte("\r\n"))
	return line[:min(len(line), 200)]
}
