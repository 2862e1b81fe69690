package workers

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/logging"
	"github.com/pyhost/pyhost/wsgi"
)

// http2Conn is one HTTP/2 connection: it turns its streams into HTTP/1.1 exchanges with the worker, over socket pairs
// whose other ends are ordinary connections with this one's facts.
type http2Conn struct {
	w      *worker
	facts  wsgi.Conn
	client *os.File // the client's socket
	mu     sync.Mutex
	idle   []*exchange // the last one is the last that was put there
	ageing bool        // expire is due
}

// exchange is the client's end of a connection inside the worker.
type exchange struct {
	file   *os.File
	reader *bufio.Reader
	since  time.Time // when it became idle: the worker may be closing it; zero before its first stream
}

func http2Facts(c *conn) wsgi.Conn {
	facts := c.facts
	facts.Protocol = []byte("HTTP/2.0")
	return facts
}

func (s *http2Server) handle(w http.ResponseWriter, r *http.Request) {
	r.Context().Value(http2Key{}).(*http2Conn).serve(w, r)
}

// serve answers one stream. A panic with ErrAbortHandler resets the stream: the client sees that something is missing.
func (h *http2Conn) serve(w http.ResponseWriter, r *http.Request) {
	if rule := malformed(r); rule != "" {
		h.refuse(w, r, rule)
		return
	}
	open := h.w.http2.streams.Add(1)
	defer h.w.http2.streams.Add(-1)
	if open > h.w.maxConns {
		h.turnAway(w, r)
		return
	}
	withoutBody(w, r, h.w.timeouts.head)
	for {
		e, err := h.take(r)
		if err != nil {
			h.w.log.Error("Cannot serve a stream of ip=%s: %v", h.facts.RemoteAddr, err)
			panic(http.ErrAbortHandler)
		}
		used := !e.since.IsZero()
		err = h.exchange(e, w, r)
		if err == nil {
			return
		}
		if errors.Is(err, errUnanswered) && r.Context().Err() != nil {
			e.outlive()
		}
		e.file.Close()
		if !errors.Is(err, errUnanswered) || !used || r.Context().Err() != nil {
			panic(http.ErrAbortHandler)
		}
		// The worker closed an idle connection at this moment; a request without a body can go over another one.
	}
}

// refuse answers a malformed request, which no connection into the worker could carry as it is.
func (h *http2Conn) refuse(w http.ResponseWriter, r *http.Request, rule string) {
	const status = http.StatusBadRequest
	sendPage(w, status, h.w.refused(h.conn(), h.line(r), status, rule))
}

// turnAway answers a request for which there are too many open streams.
func (h *http2Conn) turnAway(w http.ResponseWriter, r *http.Request) {
	const status = http.StatusServiceUnavailable
	c, line := h.conn(), h.line(r)
	h.w.log.Warning("Busy: %q from ip=%s refused, %d other streams are open (worker_connections) (503)",
		line[:min(len(line), 200)], c.peer(), h.w.maxConns)
	page := errorPage(line, status, "")
	h.w.logRefused(c, line, logging.Refused, status, page)
	w.Header().Set("Retry-After", "1")
	sendPage(w, status, page)
}

// conn has the facts of this connection for the log.
func (h *http2Conn) conn() *conn { return &conn{owned: owned{facts: h.facts}} }

// line is the request in the form of HTTP/1.1's request line.
func (h *http2Conn) line(r *http.Request) []byte {
	return fmt.Appendf(nil, "%s %s %s", r.Method, r.RequestURI, h.facts.Protocol)
}

// sendPage sends the body of an error page.
func sendPage(w http.ResponseWriter, status int, page []byte) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	w.Write(pageBody(page))
}

// take returns an idle connection into the worker, or a new one; always a new one for a request with a body, which
// could not be sent twice.
func (h *http2Conn) take(r *http.Request) (*exchange, error) {
	h.mu.Lock()
	if n := len(h.idle); n > 0 && r.ContentLength == 0 {
		e := h.idle[n-1]
		h.idle = h.idle[:n-1]
		h.mu.Unlock()
		return e, nil
	}
	h.mu.Unlock()
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	c, ok := h.w.table.add(ours)
	if !ok {
		unix.Close(ours)
		theirs.Close()
		return nil, unix.EMFILE
	}
	c.facts = h.facts
	h.w.lane.giveBack(c, nil)
	return &exchange{file: theirs, reader: bufio.NewReader(theirs)}, nil
}

// put keeps a connection for the next stream.
func (h *http2Conn) put(e *exchange) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e.since = time.Now()
	h.idle = append(h.idle, e)
	if !h.ageing {
		h.ageing = true
		time.AfterFunc(h.w.keepAlive, h.expire)
	}
}

// expire closes what has been idle for keep_alive, as the worker does with its ends: after many streams at once the
// descriptors would stay open for as long as the client's connection.
func (h *http2Conn) expire() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.idle) > 0 {
		left := h.w.keepAlive - time.Since(h.idle[0].since)
		if left > 0 {
			time.AfterFunc(left, h.expire)
			return
		}
		h.idle[0].file.Close()
		h.idle = slices.Delete(h.idle, 0, 1)
	}
	h.ageing = false
}

// close closes what is idle. Streams are over when their connection is.
func (h *http2Conn) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.idle {
		e.file.Close()
	}
	h.idle = nil
}

// outlive waits until the worker has run the request of a stream that was reset, or has dropped it. The stream counts
// until then: a client that opens and resets streams, one after the other, would have any number of requests wait here.
func (e *exchange) outlive() {
	shutdown(e.file, unix.SHUT_WR)
	e.file.SetReadDeadline(time.Time{})
	e.reader.Peek(1) //nolint:errcheck // its end, or the beginning of a response, which nobody takes
}

// errUnanswered: the connection ended before the first byte of a response.
var errUnanswered = errors.New("no response")

// exchange passes one request and its response on. e is closed, or idle again, unless there is an error.
func (h *http2Conn) exchange(e *exchange, w http.ResponseWriter, r *http.Request) error {
	// A reset stream, or a connection that ends, is a client that is gone.
	stop := context.AfterFunc(r.Context(), func() { e.file.SetDeadline(past) })
	defer stop()
	sent := make(chan error, 1)
	if r.ContentLength == 0 {
		sent <- e.send(r)
	} else {
		go func() { sent <- e.send(r) }()
	}
	response, err := e.receive(w, r)
	if err != nil {
		return err
	}
	copyHeader(w.Header(), response.Header)
	if response.Header["Content-Type"] == nil {
		w.Header()["Content-Type"] = nil // net/http would guess one
	}
	w.WriteHeader(response.StatusCode)
	if err := h.copyBody(w, response); err != nil {
		return fmt.Errorf("the response is cut: %w", err)
	}
	select {
	case err := <-sent:
		if err == nil && !response.Close && stop() {
			h.put(e)
			return nil
		}
	default: // answered before the body was there
	}
	e.file.Close()
	return nil
}

// framing are the headers that tell where a message ends, or whose connection it is: ours here.
var framing = map[string]bool{"Content-Length": true, "Transfer-Encoding": true, "Connection": true, "Host": true}

// send writes the request in the form of HTTP/1.1.
func (e *exchange) send(r *http.Request) error {
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.RequestURI, r.Host)
	declared := r.Header["Content-Length"] != nil
	r.Header.WriteSubset(&head, framing) // to memory: never fails
	switch {
	case r.ContentLength > 0:
		head.WriteString("Content-Length: " + strconv.FormatInt(r.ContentLength, 10) + "\r\n\r\n")
	case r.ContentLength < 0:
		head.WriteString("Transfer-Encoding: chunked\r\n\r\n")
	case declared:
		head.WriteString("Content-Length: 0\r\n\r\n")
	default:
		head.WriteString("\r\n")
	}
	if _, err := e.file.Write(head.Bytes()); err != nil || r.ContentLength == 0 {
		return err
	}
	err := e.sendBody(r)
	if err != nil { // the worker must not wait for the rest
		shutdown(e.file, unix.SHUT_WR)
	}
	return err
}

func (e *exchange) sendBody(r *http.Request) error {
	if r.ContentLength > 0 {
		_, err := io.Copy(e.file, r.Body)
		return err
	}
	block := make([]byte, 16<<10)
	for {
		n, err := r.Body.Read(block)
		if n > 0 {
			if _, err := fmt.Fprintf(e.file, "%x\r\n%s\r\n", n, block[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			_, err = io.WriteString(e.file, "0\r\n\r\n")
			return err
		}
		if err != nil {
			return err
		}
	}
}

// receive reads the head of the response, and passes on what comes before it (103 Early Hints).
func (e *exchange) receive(w http.ResponseWriter, r *http.Request) (*http.Response, error) {
	if _, err := e.reader.Peek(1); err != nil {
		return nil, errUnanswered
	}
	for {
		response, err := http.ReadResponse(e.reader, r)
		switch {
		case err != nil:
			return nil, err
		case response.StatusCode == http.StatusSwitchingProtocols:
			return nil, errors.New("HTTP/2 has no 101")
		case response.StatusCode >= 200:
			return response, nil
		case response.StatusCode != http.StatusContinue:
			copyHeader(w.Header(), response.Header)
			w.WriteHeader(response.StatusCode)
			clear(w.Header())
		}
	}
}

// copyHeader leaves out what is about the connection (RFC 9113 8.2.2).
func copyHeader(to, from http.Header) {
	for name, values := range from {
		switch name {
		case "Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Proxy-Connection":
		default:
			to[name] = values
		}
	}
}
