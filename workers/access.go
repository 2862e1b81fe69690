package workers

import (
	"bytes"
	"net/url"
	"time"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/logging"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/wsgi"
)

// accessRecord fills one reused logging.Record per thread. It does nothing, and costs nothing, when the log is off.
type accessRecord struct {
	t        *thread
	record   logging.Record
	said     appLog
	begun    int64 // CLOCK_MONOTONIC ns at which the request came to the thread
	listener int   // of the request being logged
}

func (a *accessRecord) init(t *thread) {
	a.t, a.said = t, t.exchange.Logged
	a.record.RequestHeader = a.requestHeader
	a.record.Environ = a.environ
	a.record.EachHeader = func(yield func(name, value []byte)) {
		for i := range t.request.Headers {
			yield(t.request.Headers[i].Name, t.request.Headers[i].Value)
		}
	}
	a.record.PID = t.w.pid
	if t.w.access != nil {
		t.flags |= embedpy.FlagTimed
	}
}

// begin notes the time at which the request came to a Python thread.
func (a *accessRecord) begin() {
	if a.t.w.access != nil {
		a.begun = scoreboard.Now()
	}
}

// write logs the request r that the thread has just finished on c; head is the response's.
func (a *accessRecord) write(c *conn, r *request, head []byte) {
	if a.t.w.access == nil {
		return
	}
	x, now := a.t.exchange, scoreboard.Now()
	a.describe(c)
	a.record.Status = int(x.Status)
	a.record.BodyBytes = int64(x.BodyBytes)
	a.record.Duration = time.Duration(now - a.begun)
	a.record.Start = time.Now().Add(-a.record.Duration)
	a.record.FirstByte = -1
	if x.FirstByte > 0 {
		a.record.FirstByte = time.Duration(x.FirstByte - a.begun)
	}
	a.record.Queued = max(time.Duration(a.begun-a.t.arrived), 0)
	a.record.BytesIn = r.length()
	if a.record.Outcome = outcome(x.Outcome); r.refusal() != nil {
		a.record.Outcome = logging.Refused
	}
	a.record.ResponseHead = head
	a.record.Variable, a.record.EachVariable, a.record.EachEnviron = nil, nil, nil
	if x.AnyLogged() {
		a.record.Variable = a.said.variable
		a.record.EachVariable, a.record.EachEnviron = a.said.each('v'), a.said.each('e')
	}
	a.t.w.access.Write(&a.record)
}

// describe fills in what the client asked for.
func (a *accessRecord) describe(c *conn) {
	r := &a.t.request
	a.listener = c.facts.Listener
	path, _ := a.t.frame.Lookup("PATH_INFO")
	a.record.RemoteAddr = a.t.client(c)
	a.record.Method, a.record.Target, a.record.Path, a.record.Query = r.Method, r.Target, path, r.Query
	a.record.Protocol = c.protocol(r.Minor)
	if c.packets {
		a.record.Protocol, _ = a.t.frame.Lookup("SERVER_PROTOCOL")
	}
	a.record.RequestID = a.t.encoder.RequestID()
}

// client is the address of the request's client, when its environ is made: the peer, or what a proxy says of its own
// client.
func (t *thread) client(c *conn) []byte {
	if !c.packets && t.w.rules.RealIP == "" {
		return c.facts.RemoteAddr
	}
	addr, _ := t.frame.Lookup("REMOTE_ADDR")
	return addr
}

// outcome is what the C layer tells, in the words of the log.
func outcome(bits uint32) logging.Outcome {
	switch {
	case bits&embedpy.OutcomeTimedOut != 0:
		return logging.TimedOut
	case bits&embedpy.OutcomeFailed != 0:
		return logging.Failed
	case bits&embedpy.OutcomeGone != 0:
		return logging.ClientGone
	}
	return logging.Answered
}

// length is the size of the request's body; -1 if the application reads it from the client.
func (r *request) length() int64 {
	switch r.kind {
	case embedpy.BodyFile:
		return r.size
	case embedpy.BodyStream:
		return -1
	}
	return int64(len(r.body))
}

// logRefused logs what did not become a request, with the response that it got, if any. head is its beginning.
func (w *worker) logRefused(c *conn, head []byte, outcome logging.Outcome, status int, page []byte) {
	if w.access == nil {
		return
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	line = bytes.TrimSuffix(line[:min(len(line), maxRefusedLine)], []byte("\r"))
	record := logging.Record{
		RemoteAddr: c.facts.RemoteAddr, Target: line, Status: status, BodyBytes: int64(len(pageBody(page))),
		BytesIn: -1, FirstByte: -1, Queued: -1, PID: w.pid, ResponseHead: page, Outcome: outcome,
	}
	if parts := bytes.Split(line, []byte(" ")); len(parts) == 3 && bytes.HasPrefix(parts[2], []byte("HTTP/")) {
		record.Method, record.Target, record.Protocol = parts[0], parts[1], parts[2]
		record.Path, record.Query, _ = bytes.Cut(parts[1], []byte("?"))
		record.Path = decoded(record.Path)
		if c.facts.Protocol != nil {
			record.Protocol = c.facts.Protocol
		}
	}
	w.access.Write(&record)
}

// refused logs a message that is not acceptable HTTP, and which rule it breaks, and returns the answer to it. head is
// its beginning.
func (w *worker) refused(c *conn, head []byte, status int, rule string) (page []byte) {
	w.warnInvalid(c, status, rule)
	page = errorPage(head, status, rule)
	w.logRefused(c, head, logging.Refused, status, page)
	return page
}

func (w *worker) warnInvalid(c *conn, status int, rule string) {
	w.log.Warning("Invalid request from ip=%s: %s (%d)", c.peer(), rule, status)
}

// decoded is a path as PATH_INFO has it.
func decoded(path []byte) []byte {
	if plain, err := url.PathUnescape(string(path)); err == nil {
		return []byte(plain)
	}
	return path
}

// maxRefusedLine bounds what is logged of a request line that is refused, in bytes: it may be as long as it likes.
const maxRefusedLine = 1024

func pageBody(page []byte) []byte {
	_, body, _ := bytes.Cut(page, []byte("\r\n\r\n"))
	return body
}

var protocols = [2][]byte{[]byte("HTTP/1.0"), []byte("HTTP/1.1")}

// protocol is SERVER_PROTOCOL of an HTTP request on c.
func (c *conn) protocol(minor int) []byte {
	if c.facts.Protocol != nil {
		return c.facts.Protocol
	}
	return protocols[minor]
}

func (a *accessRecord) requestHeader(name string) ([]byte, bool) {
	return findHeader(a.t.request.Headers, name)
}

// environ finds a string of the request's environ: as the application left it, in its frame, or in the template.
func (a *accessRecord) environ(name string) ([]byte, bool) {
	if a.t.exchange.AnyLogged() {
		if value, ok := a.said.find('e', name); ok {
			return value, true
		}
	}
	return a.t.w.variable(&a.t.frame, a.listener, name)
}

// variable finds a string of the environ that a frame makes on a listener: in the frame, or in the listener's template.
func (w *worker) variable(frame *wsgi.Frame, listener int, name string) ([]byte, bool) {
	if value, ok := frame.Lookup(name); ok {
		return value, true
	}
	value, ok := w.listeners[listener].constants[name]
	return value, ok
}

// equalFold compares a header name with its lower-case form.
func equalFold(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, b := range name {
		if b >= 'A' && b <= 'Z' {
			b |= 0x20
		}
		if b != lower[i] {
			return false
		}
	}
	return true
}
