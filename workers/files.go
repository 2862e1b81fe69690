package workers

import (
	"net/url"
	"os"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/logging"
	"github.com/pyhost/pyhost/protocol/http1"
	"github.com/pyhost/pyhost/workers/static"
)

// files are what is served without Python.
type files struct {
	mounts static.Mounts // nil = none
	maxAge int
	root   *static.Root // of what the application names; nil = it cannot
}

func newFiles(c *config.Config) (f files, err error) {
	f.maxAge = c.StaticMaxAge
	if f.mounts, err = static.Open(c.Static); err == nil && c.SendfileRoot != "" {
		f.root, err = static.OpenRoot(c.SendfileRoot)
	}
	return f, err
}

var errFileBody = &http1.Refusal{Status: 400, Rule: "a request for a static file has a body"}

// serveFile answers the request at hand, whose head is in thread.request, with a static file if its path is one's. It
// reports whether it did; the connection is not the thread's then. rest is what the client sent behind the head.
func (t *thread) serveFile(c *conn, head, rest []byte) bool {
	r := &t.request
	target, ok := t.w.files.mounts.Match(r.Path)
	if !ok {
		return false
	}
	if r.Chunked || r.ContentLength > 0 {
		t.refuse(c, errFileBody, head)
		return true
	}
	keepAlive := r.KeepAlive && t.w.keepAlive > 0 && !t.w.parting.Load()
	t.w.lane.sendFile(c, target, static.NewRequest(r, keepAlive), t.w.newFileRecord(c, r), keepAlive, rest)
	return true
}

// sendFile serves a static file at the client's pace.
func (l *lane) sendFile(c *conn, target *static.Target, q *static.Request, log *fileRecord, reuse bool, rest []byte) {
	rest = append([]byte(nil), rest...)
	l.start(c, func(f *os.File) {
		response, err := q.Serve(f, target, static.Settings{Stall: l.w.timeouts.writeLimit(), MaxAge: l.w.files.maxAge})
		f.Close()
		c.answered.Store(true)
		l.w.slot.AddRequest()
		l.sent(c, response, err, log, reuse, rest)
	})
}

// sent does what is left after a file.
func (l *lane) sent(c *conn, response *static.Response, err error, log *fileRecord, reuse bool, rest []byte) {
	log.write(response)
	switch {
	case err != nil:
		l.w.log.Debug("Client ip=%s did not get its file: %v", c.peer(), err)
		c.reset()
		l.w.close(c)
	case reuse:
		l.giveBack(c, rest)
	case len(rest) > 0:
		l.finish(c, nil)
	default:
		l.end(c)
	}
}

// fileRecord is the access log's record of a request that no thread serves: it has copies of all it needs.
type fileRecord struct {
	access *logging.AccessLog
	record logging.Record
}

// newFileRecord returns nil when the access log is off.
func (w *worker) newFileRecord(c *conn, r *http1.Request) *fileRecord {
	if w.access == nil {
		return nil
	}
	copied := func(b []byte) []byte { return append([]byte(nil), b...) }
	headers := make([]http1.Header, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = http1.Header{Name: copied(h.Name), Value: copied(h.Value)}
	}
	path, err := url.PathUnescape(string(r.Path))
	if err != nil {
		path = string(r.Path)
	}
	l := &fileRecord{access: w.access}
	constants := w.listeners[c.facts.Listener].constants
	l.record = logging.Record{
		Start: time.Now(), BytesIn: -1, FirstByte: -1, Queued: -1, PID: w.pid,
		RemoteAddr: c.facts.RemoteAddr, Protocol: c.protocol(r.Minor),
		Method: copied(r.Method), Target: copied(r.Target), Path: []byte(path), Query: copied(r.Query),
		RequestHeader: func(name string) ([]byte, bool) { return findHeader(headers, name) },
		Environ:       func(name string) ([]byte, bool) { value, ok := constants[name]; return value, ok },
	}
	return l
}

func (l *fileRecord) write(r *static.Response) {
	if l == nil {
		return
	}
	l.record.Duration = time.Since(l.record.Start)
	l.record.Status, l.record.BodyBytes, l.record.ResponseHead = r.Status, r.Bytes, r.Head
	l.access.Write(&l.record)
}

func findHeader(headers []http1.Header, name string) ([]byte, bool) {
	for i := range headers {
		if equalFold(headers[i].Name, name) {
			return headers[i].Value, true
		}
	}
	return nil, false
}
