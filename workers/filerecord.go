package workers

import (
	"time"

	"github.com/pyhost/pyhost/logging"
	"github.com/pyhost/pyhost/protocol/http1"
	"github.com/pyhost/pyhost/workers/scoreboard"
	"github.com/pyhost/pyhost/workers/static"
	"github.com/pyhost/pyhost/wsgi"
)

// fileRecord is the access log's record of a request that is answered with a file, perhaps when the thread is busy with
// others: it has copies of all it needs.
type fileRecord struct {
	access *logging.AccessLog
	record logging.Record
}

// newFileRecord is the record of the thread's request; nil when the access log is off.
func (t *thread) newFileRecord(c *conn) *fileRecord {
	w, r := t.w, &t.request
	if w.access == nil {
		return nil
	}
	headers := make([]http1.Header, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = http1.Header{Name: cloned(h.Name), Value: cloned(h.Value)}
	}
	l := &fileRecord{access: w.access}
	constants := w.listeners[c.facts.Listener].constants
	l.record = logging.Record{
		Start: time.Now(), BytesIn: -1, FirstByte: -1, Queued: -1, PID: w.pid,
		RemoteAddr: cloned(t.encoder.Client(r, &c.facts)), Protocol: c.protocol(r.Minor),
		Method: cloned(r.Method), Target: cloned(r.Target), Path: cloned(decoded(r.Path)), Query: cloned(r.Query),
		RequestHeader: func(name string) ([]byte, bool) { return findHeader(headers, name) },
		EachHeader: func(yield func(name, value []byte)) {
			for i := range headers {
				yield(headers[i].Name, headers[i].Value)
			}
		},
		Environ: func(name string) ([]byte, bool) { value, ok := constants[name]; return value, ok },
	}
	return l
}

// newStaticRecord is the record of the thread's request for a static file, which has had no ID so far.
func (t *thread) newStaticRecord(c *conn) *fileRecord {
	if t.w.access == nil {
		return nil
	}
	t.encoder.Identify(&t.request, &c.facts)
	l := t.newFileRecord(c)
	l.record.RequestID = cloned(t.encoder.RequestID())
	return l
}

// newOffloadRecord is the record of the thread's request r, whose application has named a file: it has run, and noted
// what it had to say.
func (t *thread) newOffloadRecord(c *conn, r *request) *fileRecord {
	l := t.newFileRecord(c)
	if l == nil {
		return nil
	}
	a := &t.record
	a.describe(c)
	l.record.RemoteAddr, l.record.Protocol = cloned(a.record.RemoteAddr), cloned(a.record.Protocol)
	l.record.Path, l.record.RequestID = cloned(a.record.Path), cloned(a.record.RequestID)
	l.record.Start = l.record.Start.Add(-time.Duration(scoreboard.Now() - a.begun))
	l.record.Queued, l.record.BytesIn = max(time.Duration(a.begun-t.arrived), 0), r.length()
	w, listener := t.w, c.facts.Listener
	frame := wsgi.Frame{Buf: cloned(t.frame.Buf), Entries: t.frame.Entries}
	l.record.Environ = func(name string) ([]byte, bool) { return w.variable(&frame, listener, name) }
	if t.exchange.AnyLogged() {
		l.note(a)
	}
	return l
}

// note takes over what the application has noted for the log.
func (l *fileRecord) note(a *accessRecord) {
	said := a.said.kept()
	l.record.Variable = said.variable
	l.record.EachVariable, l.record.EachEnviron = said.each('v'), said.each('e')
	environ := l.record.Environ
	l.record.Environ = func(name string) ([]byte, bool) {
		if value, ok := said.find('e', name); ok {
			return value, true
		}
		return environ(name)
	}
}

// end notes what became of the request; err says why the response is not complete, nil if it is.
func (l *fileRecord) end(err error) {
	switch {
	case l == nil || err == nil:
	case static.IsBroken(err):
		l.record.Outcome = logging.Failed
	default:
		l.record.Outcome = logging.ClientGone
	}
}

func (l *fileRecord) write(r *static.Response) {
	if l == nil {
		return
	}
	l.record.Duration = time.Since(l.record.Start)
	l.record.Status, l.record.BodyBytes, l.record.ResponseHead = r.Status, r.Bytes, r.Head
	l.access.Write(&l.record)
}
