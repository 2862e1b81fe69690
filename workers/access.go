package workers

import (
	"time"

	"github.com/pyhost/pyhost/logging"
)

// accessRecord fills one reused logging.Record per thread. It does nothing, and costs nothing, when the log is off.
type accessRecord struct {
	t        *thread
	record   logging.Record
	listener int // of the request being logged
}

func (a *accessRecord) init(t *thread) {
	a.t = t
	a.record.RequestHeader = a.requestHeader
	a.record.Environ = a.environ
}

// begin notes the time at which the request came to a Python thread.
func (a *accessRecord) begin() {
	if a.t.w.access != nil {
		a.record.Start = time.Now()
	}
}

// write logs the request that the thread has just finished on c; head is the response's.
func (a *accessRecord) write(c *conn, head []byte) {
	if a.t.w.access == nil {
		return
	}
	r := &a.t.request
	a.listener = c.facts.Listener
	path, _ := a.t.frame.Lookup("PATH_INFO")
	a.record.RemoteAddr = c.facts.RemoteAddr
	a.record.Method, a.record.Target, a.record.Path, a.record.Query = r.Method, r.Target, path, r.Query
	a.record.Protocol = protocols[r.Minor]
	if c.packets || a.t.w.rules.RealIP != "" { // what the proxy says of its client
		a.record.RemoteAddr, _ = a.t.frame.Lookup("REMOTE_ADDR")
	}
	if c.packets {
		a.record.Protocol, _ = a.t.frame.Lookup("SERVER_PROTOCOL")
	}
	a.record.Status = int(a.t.exchange.Status)
	a.record.BodyBytes = int64(a.t.exchange.BodyBytes)
	a.record.Duration = time.Since(a.record.Start)
	a.record.PID = a.t.w.pid
	a.record.ResponseHead = head
	a.t.w.access.Write(&a.record)
}

var protocols = [2][]byte{[]byte("HTTP/1.0"), []byte("HTTP/1.1")}

func (a *accessRecord) requestHeader(name string) ([]byte, bool) {
	return findHeader(a.t.request.Headers, name)
}

// environ finds a string of the request's environ: in its frame, or in the template.
func (a *accessRecord) environ(name string) ([]byte, bool) {
	if value, ok := a.t.frame.Lookup(name); ok {
		return value, true
	}
	value, ok := a.t.w.listeners[a.listener].constants[name]
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
