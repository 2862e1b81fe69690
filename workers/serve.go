package workers

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/logging"
	"github.com/pyhost/pyhost/protocol/http1"
	"github.com/pyhost/pyhost/protocol/uwsgi"
)

// consume serves the requests in data, one after the other (pipelining). It reports whether the connection is still
// this thread's; otherwise it was closed or went to the lane.
func (t *thread) consume(c *conn, data []byte) bool {
	if c.packets {
		return t.consumePacket(c, data)
	}
	for more := false; len(data) > 0; more = true {
		if more {
			t.beat() // each has the whole of its timeouts
		}
		n, err := t.parser.Parse(data, &t.request)
		if err != nil {
			if errors.Is(err, http1.ErrIncomplete) {
				t.w.lane.receive(c, data)
			} else {
				t.refuse(c, err, data)
			}
			return false
		}
		if t.w.files.mounts != nil {
			if after, served, mine := t.serveFile(c, data, data[n:]); !mine {
				return false
			} else if served {
				data = after
				continue
			}
		}
		body, used, err := t.body(data[n:])
		switch {
		case errors.Is(err, http1.ErrIncomplete) && (t.request.Expect100 || !t.w.buffered):
			t.streamed(c, data[n:])
			return false
		case errors.Is(err, http1.ErrIncomplete):
			t.w.lane.receive(c, data)
			return false
		case err != nil:
			t.refuse(c, err, data)
			return false
		}
		rest := data[n+used:]
		if !t.respond(c, request{kind: bodyKind(&t.request), body: body, rest: rest}) {
			return false
		}
		data = rest
	}
	return true
}

func bodyKind(r *http1.Request) int32 {
	if r.ContentLength > 0 || r.Chunked {
		return embedpy.BodyMemory
	}
	return embedpy.BodyNone
}

// body finds the request's body in what followed its head. The error is ErrIncomplete or a refusal.
func (t *thread) body(data []byte) (body []byte, used int, err error) {
	r := &t.request
	if r.Chunked {
		t.chunks, used, err = http1.DecodeChunked(t.chunks[:0], data, t.w.limits.Body)
		return t.chunks, used, err
	}
	if r.ContentLength <= 0 {
		return nil, 0, nil
	}
	if int64(len(data)) < r.ContentLength {
		return nil, 0, http1.ErrIncomplete
	}
	return data[:r.ContentLength], int(r.ContentLength), nil
}

// spooled serves a request whose body lies in a file.
func (t *thread) spooled(c *conn, m *message) bool {
	if err := t.parse(c, m.raw); err != nil {
		m.file.Close()
		t.refuse(c, err, m.raw)
		return false
	}
	if _, ok := t.w.files.mounts.Match(t.request.Path); ok && !c.packets {
		m.file.Close()
		t.refuse(c, errFileBody, m.raw)
		return false
	}
	fd, err := unix.FcntlInt(m.file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	m.file.Close()
	if err != nil {
		t.fail(c, os.NewSyscallError("dup", err))
		return false
	}
	r := request{kind: embedpy.BodyFile, fd: int32(fd), size: m.size, rest: m.rest}
	if c.packets {
		t.respondLast(c, r)
		return false
	}
	return t.respond(c, r)
}

// parse reads a head that is known to be whole.
func (t *thread) parse(c *conn, head []byte) error {
	if !c.packets {
		_, err := t.parser.Parse(head, &t.request)
		return err
	}
	_, err := uwsgi.Parse(head, t.w.packets.limit, &t.packet)
	t.request = t.packet.Request
	return err
}

// encode makes the request's environ.
func (t *thread) encode(c *conn) error {
	t.frame.Buf, t.frame.Entries = t.frame.Buf[:0], 0
	if c.packets {
		return t.encoder.EncodeVars(&t.frame, &t.packet, &c.facts)
	}
	return t.encoder.Encode(&t.frame, &t.request, &c.facts)
}

// request is one request on its way to the application; its head is in thread.request.
type request struct {
	kind int32
	body []byte // in memory
	fd   int32  // spooled or streamed: Python's from here on
	size int64  // of a spooled body
	rest []byte // what the client sent behind it
	once bool   // the connection cannot be used again
	feed *feed  // of a streamed body
}

// refusal says why a streamed body is not acceptable; nil if it is, or was not streamed.
func (r *request) refusal() *http1.Refusal {
	if r.feed == nil {
		return nil
	}
	return r.feed.refusal.Load()
}

// respond runs one request through the application. It reports whether the connection is still this thread's.
func (t *thread) respond(c *conn, r request) bool {
	t.record.begin()
	if err := t.encode(c); err != nil {
		if r.kind == embedpy.BodyFile || r.kind == embedpy.BodyStream {
			unix.Close(int(r.fd))
		}
		t.refuse(c, err, fmt.Appendf(nil, "%s %s %s", t.request.Method, t.request.Target, c.protocol(t.request.Minor)))
		return false
	}
	t.call(c, &r)
	c.answered.Store(true)
	t.w.retirement.served(t.w.slot.AddRequest())
	return t.settle(c, &r)
}

// call fills the exchange and crosses into C, once.
func (t *thread) call(c *conn, r *request) {
	x := t.exchange
	x.Flags = t.flags
	if t.request.Minor > 0 {
		x.Flags |= embedpy.FlagHTTP11
	}
	if string(t.request.Method) == "HEAD" {
		x.Flags |= embedpy.FlagHead
	}
	if t.request.KeepAlive && !r.once && t.w.keepAlive > 0 && !t.w.parting.Load() {
		x.Flags |= embedpy.FlagKeepAlive
	}
	if c.isTCP() {
		x.Flags |= embedpy.FlagFIN
	}
	x.FD = int32(c.fd)
	x.Listener = int32(c.facts.Listener)
	x.BodyKind, x.BodyFD, x.BodyLength = r.kind, r.fd, uint64(len(r.body))
	x.Entries, x.FrameLength = uint32(t.frame.Entries), uint32(len(t.frame.Buf))
	x.Conn = c.python
	t.w.slot.Add(1)
	t.enter(c)
	t.w.python.Call(t.index, t.frame.Buf, r.body)
	t.leave()
	t.holding = x.Flags&embedpy.FlagKeepGIL != 0
	t.w.slot.Add(-1)
	c.python = x.Conn
}

// settle does what is left after the application: its errors go to the log, an error page or an unsent rest to the
// client, and the connection on, to the lane, or away.
func (t *thread) settle(c *conn, r *request) bool {
	x := t.exchange
	if t.lost {
		t.putBack(c)
		return false
	}
	if x.Outcome&(embedpy.OutcomeFailed|embedpy.OutcomeWarned) != 0 {
		t.report()
	}
	if x.Outcome&embedpy.OutcomeFailed != 0 && x.Outcome&embedpy.OutcomeCommitted == 0 {
		x.Status = 500
		page := errorPage(t.request.Method, 500, "")
		if refusal := r.refusal(); refusal != nil { // that is why the application failed
			x.Status = int32(refusal.Status)
			page = errorPage(t.request.Method, refusal.Status, refusal.Rule)
			t.w.warnInvalid(c, refusal.Status, refusal.Rule)
		} else if x.Outcome&embedpy.OutcomeTimedOut != 0 {
			x.Status = 504
			page = errorPage(t.request.Method, 504, tookTooLong)
		}
		x.BodyBytes = uint64(len(pageBody(page)))
		t.record.write(c, r, page)
		t.w.lane.finish(c, page)
		return false
	}
	if x.Outcome&embedpy.OutcomeOffloaded != 0 && x.Outcome&embedpy.OutcomeFailed == 0 {
		t.offload(c, r)
		return false
	}
	t.record.write(c, r, x.Head())
	reuse := x.Outcome&embedpy.OutcomeReuse != 0
	more := len(r.rest) > 0 || r.kind == embedpy.BodyStream
	if t.request.Minor == 0 && x.Outcome&embedpy.OutcomeFailed != 0 {
		// The end of the connection was to be the end of the body: only a reset shows that it is not (RFC 9112 8).
		c.reset()
	}
	if tail, ok := x.TakeTail(); ok {
		t.w.lane.drain(c, tail, reuse, r.rest, more)
		return false
	}
	if reuse {
		return true
	}
	if x.Outcome&embedpy.OutcomeStalled != 0 {
		t.w.log.Info("Client ip=%s took nothing of the response to %s for %v (write_timeout): closed",
			c.peer(), t.request.Target, t.w.timeouts.write)
		c.reset() // what it has not taken is no longer kept for it
	}
	if x.Outcome&embedpy.OutcomeTaken != 0 {
		unix.Shutdown(c.fd, unix.SHUT_RDWR) // copies that the application keeps hold the connection open no longer
	}
	switch {
	case x.Outcome&embedpy.OutcomeFailed != 0:
		t.w.close(c)
	case more:
		t.w.lane.finish(c, nil)
	default:
		t.w.lane.end(c)
	}
	return false
}

// report logs what the application did wrong, with the request line.
func (t *thread) report() {
	x := t.exchange
	if x.Outcome&embedpy.OutcomeTimedOut != 0 && len(x.Message()) == 0 {
		return // the timeout has been logged, with the stack
	}
	if x.Outcome&embedpy.OutcomeFailed != 0 {
		t.w.log.For(t.encoder.RequestID()).Error("Error handling request %s\n%s", t.subject(), x.Message())
		t.w.retirement.failed()
		return
	}
	if x.Outcome&embedpy.OutcomeCloseFailed != 0 {
		t.w.log.For(t.encoder.RequestID()).Error("Error closing the response of %s\n%s", t.subject(), x.Message())
		return
	}
	t.w.log.For(t.encoder.RequestID()).Warning("%s: %s", t.subject(), x.Message())
}

// subject names the request in the log: method, target, and its ID if requests have one.
func (t *thread) subject() string {
	if id := t.encoder.RequestID(); id != nil {
		return fmt.Sprintf("%s %s [%s]", t.request.Method, t.request.Target, id)
	}
	return fmt.Sprintf("%s %s", t.request.Method, t.request.Target)
}

// refuse answers a message that is not acceptable HTTP and closes; the log says which rule, and whose. head is the
// message's beginning.
func (t *thread) refuse(c *conn, err error, head []byte) {
	status, rule := 500, err.Error()
	var refusal *http1.Refusal
	if errors.As(err, &refusal) {
		status, rule = refusal.Status, refusal.Rule
	}
	t.w.lane.finish(c, t.w.refused(c, head, status, rule))
}

// fail answers the request at hand, which the server cannot give to the application.
func (t *thread) fail(c *conn, cause error) {
	r := &t.request
	t.w.log.Error("Error handling request %s %s: %v", r.Method, r.Target, cause)
	page := errorPage(r.Method, 500, "")
	head := fmt.Appendf(nil, "%s %s %s", r.Method, r.Target, c.protocol(r.Minor))
	t.w.logRefused(c, head, logging.Failed, 500, page)
	t.w.lane.finish(c, page)
}

// errorPage is the response to a request that begins with head; HEAD gets no body (RFC 9110 9.3.2).
func errorPage(head []byte, status int, message string) []byte {
	page := http1.ErrorResponse(status, message)
	if string(head) == "HEAD" || bytes.HasPrefix(head, []byte("HEAD ")) {
		page = page[:bytes.Index(page, []byte("\r\n\r\n"))+4]
	}
	return page
}

// reset makes the coming close a reset.
func (c *conn) reset() {
	if c.tunnel != nil {
		c.tunnel.reset.Store(true)
		return
	}
	resetAtClose(c.fd)
}

// peer names the client in the log.
func (c *conn) peer() string {
	if len(c.facts.RemoteAddr) == 0 {
		return "unix"
	}
	return string(c.facts.RemoteAddr)
}
