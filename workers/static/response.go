package static

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Response is one response on its way to the client; it is net/http's ResponseWriter. What has no Content-Length is
// collected first, so that every response ends where its head says.
type Response struct {
	// Status is what was sent; 0 before.
	Status int
	// Head is the response head as sent.
	Head []byte
	// Bytes is the length of the body that was sent, with the rest.
	Bytes int64
	// Rest is what the client did not take at once.
	Rest Rest
	// Cause is why a file that may well be there cannot be had, for the log; nil = nothing of the kind.
	Cause error

	client    Client
	header    http.Header
	head      bool // the method is HEAD: no body
	keepAlive bool
	old       bool // HTTP/1.0
	size      int64
	collected *bytes.Buffer
	err       error
}

// Header is the header to be sent.
func (r *Response) Header() http.Header { return r.header }

// WriteHeader sends the head, or begins to collect the body.
func (r *Response) WriteHeader(status int) {
	if r.Status != 0 {
		return
	}
	r.Status = status
	switch {
	case status == http.StatusNotModified || status == http.StatusNoContent:
	case r.header.Get("Content-Length") != "":
	case status == http.StatusOK && r.size >= 0: // of a compressed form, which net/http does not tell
		r.header.Set("Content-Length", strconv.FormatInt(r.size, 10))
	default:
		r.collected = new(bytes.Buffer)
		return
	}
	r.sendHead()
}

func (r *Response) sendHead() {
	h := r.header
	if h.Get("Server") == "" {
		h.Set("Server", "pyhost")
	}
	if h.Get("Date") == "" {
		h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	switch {
	case !r.keepAlive:
		h.Set("Connection", "close")
	case r.old:
		h.Set("Connection", "keep-alive")
	}
	var head bytes.Buffer
	head.WriteString("HTTP/1.1 " + strconv.Itoa(r.Status) + " " + http.StatusText(r.Status) + "\r\n")
	h.Write(&head) // to memory: never fails
	head.WriteString("\r\n")
	r.Head = head.Bytes()
	r.transmit(r.Head)
}

// Write sends a part of the body.
func (r *Response) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	switch {
	case r.collected != nil:
		return r.collected.Write(p)
	case r.head || r.err != nil:
		return len(p), r.err
	}
	r.transmit(p)
	r.Bytes += int64(len(p))
	return len(p), r.err
}

// transmit sends p, or keeps it: a file or the end may follow, and go out together with it.
func (r *Response) transmit(p []byte) {
	if r.client.Write == nil {
		r.Rest.Bytes = append(r.Rest.Bytes, p...)
	} else if r.err == nil {
		r.err = r.client.Write(p)
	}
}

// ReadFrom sends a part of a file.
func (r *Response) ReadFrom(source io.Reader) (int64, error) {
	limited, ok := source.(*io.LimitedReader)
	if ok && r.client.Write == nil && r.Status != 0 && r.collected == nil && !r.head {
		if c, ok := limited.R.(*content); ok {
			r.sendfile(c, limited.N)
			return limited.N, r.err
		}
	}
	n, err := io.Copy(struct{ io.Writer }{r}, source)
	if err == nil && ok && limited.N > 0 {
		err = ErrShort
	}
	if r.err == nil { // net/http drops what is returned
		r.err = err
	}
	return n, err
}

// finish sends what was collected, and reports why the response is not complete.
func (r *Response) finish() error {
	if r.collected != nil {
		body := r.collected.Bytes()
		r.header.Set("Content-Length", strconv.Itoa(len(body)))
		r.collected = nil
		r.sendHead()
		if !r.head {
			r.transmit(body)
			r.Bytes = int64(len(body))
		}
	}
	if len(r.Rest.Bytes) > 0 && r.Rest.File == nil && r.err == nil {
		r.flush(0)
	}
	return r.err
}
