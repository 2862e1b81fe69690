package static

import (
	"errors"
	"html"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/pyhost/pyhost/protocol/http1"
)

// fields are the request headers that decide about a file's response.
var fields = []string{
	"Accept-Encoding", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Range",
}

// Request is what a file's response depends on; it is a copy.
type Request struct {
	method    string
	header    http.Header
	old       bool
	keepAlive bool
}

// NewRequest copies from r; keepAlive says whether the connection is to be used again.
func NewRequest(r *http1.Request, keepAlive bool) *Request {
	q := &Request{method: string(r.Method), header: http.Header{}, old: r.Minor == 0, keepAlive: keepAlive}
	for _, h := range r.Headers {
		for _, field := range fields {
			if len(h.Name) == len(field) && equalFold(string(h.Name), field) {
				q.header.Add(field, string(h.Value))
			}
		}
	}
	return q
}

func equalFold(a, b string) bool { return http.CanonicalHeaderKey(a) == b }

// Settings say how files are sent.
type Settings struct {
	// Stall is how long the client may take nothing.
	Stall time.Duration
	// MaxAge is for Cache-Control, in seconds; 0 = none is sent.
	MaxAge int
}

// Serve answers q with t on client. The error says why the response is not complete; the connection must be closed
// then.
func (q *Request) Serve(client *os.File, t *Target, s Settings) (*Response, error) {
	r := q.response(client, s)
	switch {
	case q.method != "GET" && q.method != "HEAD":
		r.header.Set("Allow", "GET, HEAD")
		r.fail(http.StatusMethodNotAllowed)
	default:
		if s.MaxAge > 0 {
			r.header.Set("Cache-Control", "max-age="+strconv.Itoa(s.MaxAge))
		}
		r.header.Set("X-Content-Type-Options", "nosniff")
		q.send(r, t)
	}
	return r, r.finish()
}

// Send answers q with t on client, with the status and header that the application gave. err says why the file cannot
// be had; nothing has been sent then.
func (q *Request) Send(client *os.File, t *Target, s Settings, status int, header http.Header) (*Response, error) {
	r := q.response(client, s)
	f, err := t.open("")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r.header = header
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", contentType(t.name))
	}
	r.size = f.info.Size()
	if status == http.StatusOK {
		if header.Get("Etag") == "" {
			f.describe(header, t.name)
			header.Del("Vary")
		}
		http.ServeContent(r, q.request(), t.name, f.info.ModTime(), f.File)
	} else {
		header.Set("Content-Length", strconv.FormatInt(r.size, 10))
		r.WriteHeader(status)
		r.ReadFrom(&io.LimitedReader{R: f.File, N: r.size})
	}
	r.finish()
	return r, nil
}

// Failed says why the response is not complete; nil if it is.
func (r *Response) Failed() error { return r.err }

func (q *Request) response(client *os.File, s Settings) *Response {
	return &Response{
		client: client, stall: s.Stall, header: http.Header{}, head: q.method == "HEAD", keepAlive: q.keepAlive,
		old: q.old, size: -1,
	}
}

func (q *Request) request() *http.Request { return &http.Request{Method: q.method, Header: q.header} }

func (q *Request) send(r *Response, t *Target) {
	f, err := t.open(q.header.Get("Accept-Encoding"))
	if err != nil {
		r.header = http.Header{}
		if errors.Is(err, fs.ErrPermission) {
			r.fail(http.StatusForbidden)
		} else {
			r.fail(http.StatusNotFound) // whatever it is, it tells nobody what else is there
		}
		return
	}
	defer f.Close()
	f.describe(r.header, t.name)
	r.size = f.info.Size()
	http.ServeContent(r, q.request(), t.name, f.info.ModTime(), f.File)
}

// fail answers with gunicorn's small error page.
func (r *Response) fail(status int) {
	reason := html.EscapeString(http.StatusText(status))
	r.header.Set("Content-Type", "text/html")
	r.WriteHeader(status)
	io.WriteString(r, "<html>\n  <head>\n    <title>"+reason+"</title>\n  </head>\n  <body>\n    <h1><p>"+reason+
		"</p></h1>\n  </body>\n</html>\n")
}
