package workers

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/embedpy"
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
// reports whether it did, and whether the connection is still this thread's. rest is what the client sent behind the
// head of data, and after what it sent behind the request.
func (t *thread) serveFile(c *conn, data, rest []byte) (after []byte, served, mine bool) {
	r := &t.request
	target, ok := t.w.files.mounts.Match(r.Path)
	if !ok {
		return rest, false, true
	}
	body, used, err := t.body(rest)
	switch {
	case errors.Is(err, http1.ErrIncomplete) && r.Chunked && len(rest) < len("0\r\n\r\n") && !r.Expect100 && t.w.buffered:
		t.w.lane.receive(c, data) // it may be empty, as what HAProxy makes of a GET that ends with an empty DATA frame
		return nil, true, false
	case err != nil, len(body) > 0:
		t.refuse(c, errFileBody, data)
		return nil, true, false
	}
	rest = rest[used:]
	keepAlive := r.KeepAlive && t.w.keepAlive > 0 && !t.w.parting.Load()
	q, log := static.NewRequest(r, keepAlive), t.newStaticRecord(c)
	if q.IsLong() {
		t.w.lane.sendFile(c, target, q, log, keepAlive, rest)
		return nil, true, false
	}
	t.letGo() // a directory may have to be read from the disk
	_ = unix.SetNonblock(c.fd, true)
	response, err := t.w.answer(q, static.Client{FD: c.fd}, target)
	c.answered.Store(true)
	t.w.slot.AddRequest()
	switch {
	case err == nil && !response.Rest.IsEmpty():
		rest = cloned(rest)
		started := t.w.lane.start(c, func(f *os.File) {
			err := t.w.lane.sendRest(c, f, response)
			f.Close()
			t.w.lane.sent(c, response, err, log, keepAlive, rest)
		})
		if !started {
			response.Abandon()
			log.write(response)
		}
		return nil, true, false
	case err == nil && keepAlive:
		log.write(response)
		return rest, true, true
	}
	t.w.lane.sent(c, response, err, log, keepAlive, rest)
	return nil, true, false
}

// answer serves q, and logs what is wrong with the machine.
func (w *worker) answer(q *static.Request, client static.Client, target *static.Target) (*static.Response, error) {
	response, err := q.Serve(client, target, w.files.maxAge)
	if response.Cause != nil {
		w.log.Error("Cannot serve a static file: %s", oneLine(response.Cause))
	}
	return response, err
}

// oneLine is an error that names a file as a client did: no line of the log begins with what stands in the name.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", `\x0a`) }

// sendFile serves a static file at the client's pace.
func (l *lane) sendFile(c *conn, target *static.Target, q *static.Request, log *fileRecord, reuse bool, rest []byte) {
	rest = cloned(rest)
	l.start(c, func(f *os.File) {
		response, err := l.w.answer(q, l.patient(c, f), target)
		f.Close()
		c.answered.Store(true)
		l.w.slot.AddRequest()
		l.sent(c, response, err, log, reuse, rest)
	})
}

// patient is a client that is waited for; f is a file on its socket.
func (l *lane) patient(c *conn, f *os.File) static.Client {
	return static.Client{FD: c.fd, Write: func(p []byte) error {
		l.sending.begin(f)
		defer l.sending.end(f)
		return writePatiently(f, p, l.w.timeouts.write)
	}}
}

// sendRest sends what the client has not taken at once of a file; f is on its socket.
func (l *lane) sendRest(c *conn, f *os.File, response *static.Response) error {
	l.sending.begin(f)
	defer l.sending.end(f)
	rest := response.Rest
	err := writePatiently(f, rest.Bytes, l.patience(c))
	if rest.File == nil {
		return err
	}
	defer rest.File.Close()
	span := embedpy.Span{FD: int(rest.File.Fd()), From: rest.From, To: rest.To}
	if err == nil {
		err = sendSpan(f, &span, l.patience(c))
	}
	response.Bytes -= span.To - span.From
	return err
}

// sent does what is left after a file.
func (l *lane) sent(c *conn, response *static.Response, err error, log *fileRecord, reuse bool, rest []byte) {
	log.end(err)
	log.write(response)
	switch {
	case err != nil:
		l.giveUp(c, err)
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

func findHeader(headers []http1.Header, name string) ([]byte, bool) {
	for i := range headers {
		if equalFold(headers[i].Name, name) {
			return headers[i].Value, true
		}
	}
	return nil, false
}
