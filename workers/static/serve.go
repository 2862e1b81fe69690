package static

import (
	"errors"
	"html"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

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

// IsLong tells whether the response may have to be collected from several parts of a file (RFC 9110 14.6): it is for a
// client with a Write.
func (q *Request) IsLong() bool { return strings.Contains(q.header.Get("Range"), ",") }

// Serve answers q with t; maxAge is for Cache-Control, in seconds, 0 = none. The error says why the response is not
// complete; the connection must be closed then.
func (q *Request) Serve(client Client, t *Target, maxAge int) (*Response, error) {
	r := q.response(client)
	switch {
	case q.method != "GET" && q.method != "HEAD":
		r.header.Set("Allow", "GET, HEAD")
		r.fail(http.StatusMethodNotAllowed)
	default:
		if maxAge > 0 {
			r.header.Set("Cache-Control", "max-age="+strconv.Itoa(maxAge))
		}
		r.header.Set("X-Content-Type-Options", "nosniff")
		q.send(r, t)
	}
	return r, r.finish()
}

// Send answers q with t on client, with the status and header that the application gave. err says why the file cannot
// be had; nothing has been sent then. What a 206 is a part of, and which one, the file decides as for a 200: the
// application has named all of it.
func (q *Request) Send(client Client, t *Target, status int, header http.Header) (*Response, error) {
	r := q.response(client)
	r.header = header
	if status == http.StatusNoContent || status == http.StatusNotModified { // they have no content (RFC 9110 6.4.1)
		r.WriteHeader(status)
		r.finish()
		return r, nil
	}
	f, err := t.open("")
	if err != nil {
		return nil, err
	}
	defer r.leave(f)
	header.Del("Content-Range")
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", contentType(t.name))
	}
	r.size = f.info.Size()
	if status == http.StatusOK || status == http.StatusPartialContent {
		if header.Get("Etag") == "" {
			f.describe(header, t.name)
			header.Del("Vary")
		}
		http.ServeContent(r, q.request(r.size), t.name, f.info.ModTime(), &content{file: f})
	} else {
		header.Set("Content-Length", strconv.FormatInt(r.size, 10))
		r.WriteHeader(status)
		r.ReadFrom(&io.LimitedReader{R: &content{file: f}, N: r.size})
	}
	r.finish()
	return r, nil
}

// Failed says why the response is not complete; nil if it is.
func (r *Response) Failed() error { return r.err }

func (q *Request) response(client Client) *Response {
	return &Response{
		client: client, header: http.Header{}, head: q.method == "HEAD", keepAlive: q.keepAlive, old: q.old, size: -1,
	}
}

// leave closes a file, unless it is the rest.
func (r *Response) leave(f *file) {
	if r.Rest.File != f.File {
		f.Close()
	}
}

// request is q for net/http, of a file with size bytes.
func (q *Request) request(size int64) *http.Request {
	if value := q.header.Get("Range"); value != "" {
		q.header.Del("Range")
		if value = byteRanges(value, size); q.method == "GET" && value != "" {
			q.header.Set("Range", value)
		}
	}
	return &http.Request{Method: q.method, Header: q.header}
}

// byteRanges is a Range as net/http understands it; "" if it is to be ignored: a unit other than bytes must be (RFC
// 9110 14.2), its name is in any case (14.1), and of no bytes there are no parts. The last 0 bytes cannot be satisfied
// (14.1.2): they become a range behind the end.
func byteRanges(value string, size int64) string {
	unit, set, _ := strings.Cut(value, "=")
	if !strings.EqualFold(strings.TrimSpace(unit), "bytes") || size == 0 {
		return ""
	}
	ranges := strings.Split(set, ",")
	for i, r := range ranges {
		if suffix, ok := strings.CutPrefix(strings.TrimSpace(r), "-"); ok && suffix != "" && strings.Trim(suffix, "0") == "" {
			ranges[i] = strconv.FormatInt(size, 10) + "-"
		}
	}
	return "bytes=" + strings.Join(ranges, ",")
}

func (q *Request) send(r *Response, t *Target) {
	f, err := t.open(q.header.Get("Accept-Encoding"))
	if err != nil {
		r.header = http.Header{}
		switch {
		case IsFailure(err):
			r.Cause = err
			r.fail(http.StatusServiceUnavailable) // a 404 would be kept by caches
		case errors.Is(err, fs.ErrPermission):
			r.fail(http.StatusForbidden)
		default:
			r.fail(http.StatusNotFound) // whatever it is, it tells nobody what else is there
		}
		return
	}
	defer r.leave(f)
	f.describe(r.header, t.name)
	r.size = f.info.Size()
	http.ServeContent(r, q.request(r.size), t.name, f.info.ModTime(), &content{file: f})
}

// IsFailure says whether a file could not be opened for a reason that lies with the machine, and passes.
func IsFailure(err error) bool {
	for _, errno := range []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.EIO, unix.ESTALE, unix.ETIMEDOUT} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// fail answers with gunicorn's small error page.
func (r *Response) fail(status int) {
	reason := html.EscapeString(http.StatusText(status))
	r.header.Set("Content-Type", "text/html")
	r.WriteHeader(status)
	io.WriteString(r, "<html>\n  <head>\n    <title>"+reason+"</title>\n  </head>\n  <body>\n    <h1><p>"+reason+
		"</p></h1>\n  </body>\n</html>\n")
}
