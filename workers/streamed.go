package workers

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/embedpy"
	"github.com/pyhost/pyhost/protocol/http1"
)

// Packets of a streamed body, from the lane to wsgi.input (embedpy/python/streams.py, StreamedBody).
const (
	packetData  = 'D' // the rest of the packet is body
	packetError = 'X' // the rest is why the body cannot be completed
	packetEnd   = 'E' // the body is complete; the end of the pipe without it is no end of a body
)

// feed is the server's half of a streamed body: a socket pair whose other end is wsgi.input.
type feed struct {
	client   *os.File // duplicate of the connection
	pipe     *os.File
	body     io.Reader // the framing undone
	length   int64     // Content-Length, or -1
	begun    func() bool
	expected bool                          // the client waits for 100 Continue
	refusal  atomic.Pointer[http1.Refusal] // why the body is not acceptable, once it is known
	pace     *pace
	until    time.Time // when the thread must have its body; zero: it may wait
}

// streamed serves a request whose application runs before its body is there: because the client waits for
// "100 Continue" (RFC 9110 10.1.1), which is sent when the application reads from wsgi.input, or because
// request_buffering is off. If the application never reads, the client never needs to send.
func (t *thread) streamed(c *conn, early []byte) {
	client, err := t.w.lane.enter(c)
	if err != nil {
		t.fail(c, err)
		return
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		client.Close()
		t.fail(c, os.NewSyscallError("socketpair", err))
		return
	}
	f := newFeed(client, pair[0], early, &t.request, t.w.limits.Body)
	f.pace, f.expected, f.until = t.w.timeouts.pace(), t.request.Expect100, t.w.timeouts.lastMoment()
	// Read when the application waits for its first byte: it has told so through the socket pair.
	f.begun = func() bool { return t.exchange.Outcome&embedpy.OutcomeCommitted != 0 }
	done := make(chan struct{})
	go func() {
		f.run()
		close(done)
	}()
	// The connection is closed afterwards: when the response head is written it is not known yet whether the client
	// will have sent its body.
	if t.respond(c, request{kind: embedpy.BodyStream, fd: int32(pair[1]), feed: f, once: true}) {
		t.w.close(c)
	}
	f.stop()
	<-done
}

func newFeed(client *os.File, pipe int, early []byte, r *http1.Request, limit int64) *feed {
	unix.SetNonblock(pipe, true)
	f := &feed{client: client, pipe: os.NewFile(uintptr(pipe), "body"), length: r.ContentLength}
	source := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(append([]byte(nil), early...)), client), spoolBlock)
	if r.Chunked {
		f.length = -1
		f.body = http1.NewChunkedReader(source, limit)
	} else {
		f.body = io.LimitReader(source, r.ContentLength)
	}
	return f
}

// run waits for the application's first read, then passes the body on at its pace.
func (f *feed) run() {
	defer f.pipe.Close()
	defer f.client.Close()
	var start [1]byte
	if n, err := f.pipe.Read(start[:]); n == 0 || err != nil {
		return // closed unread
	}
	if f.expected && !f.begun() { // an interim response in the middle of the final one would be part of its body
		if _, err := f.client.Write([]byte("HTTP/1.1 100 Continue\r\n\r\n")); err != nil {
			f.send(packetError, []byte("the client closed the connection"))
			return
		}
	}
	f.pass()
}

func (f *feed) pass() {
	packet := make([]byte, 1+spoolBlock)
	packet[0] = packetData
	passed := int64(0)
	f.pace.start = time.Now()
	for {
		n, err := f.read(packet[1:], passed)
		if n > 0 {
			passed += int64(n)
			started := time.Now()
			if _, err := f.pipe.Write(packet[:1+n]); err != nil {
				return // the application closed wsgi.input
			}
			f.pace.excuse(time.Since(started)) // the application may take its time
		}
		if errors.Is(err, io.EOF) && (f.length < 0 || passed == f.length) {
			f.send(packetEnd, nil)
			return
		}
		if err != nil {
			f.send(packetError, []byte(f.reason(passed, err)))
			return
		}
	}
}

// read reads a part of the body. A timer ends it rather than a deadline, which would undo stop's.
func (f *feed) read(p []byte, passed int64) (int, error) {
	deadline, refusal := f.deadline(passed)
	if !deadline.IsZero() {
		late := time.AfterFunc(time.Until(deadline), func() { f.client.SetReadDeadline(past) })
		defer late.Stop()
	}
	n, err := f.body.Read(p)
	if refusal != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		err = refusal
	}
	return n, err
}

// deadline is when the next byte must have come, zero for never, and the refusal where it is not the client's pace that
// bounds. A thread waits for these bytes: it shall not be held by somebody who asked for 100 Continue and says nothing,
// and it shall not be aborted, with its worker, for a client.
func (f *feed) deadline(passed int64) (time.Time, error) {
	deadline, refusal := f.pace.deadline(passed), error(nil)
	earlier := func(at time.Time, why error) {
		if deadline.IsZero() || at.Before(deadline) {
			deadline, refusal = at, why
		}
	}
	if first := f.pace.limits.first; f.expected && passed == 0 && first > 0 {
		earlier(f.pace.start.Add(first), errNoBody)
	}
	if !f.until.IsZero() {
		earlier(f.until, errBodyLong)
	}
	return deadline, refusal
}

func (f *feed) reason(passed int64, err error) string {
	var refusal *http1.Refusal
	if errors.As(f.pace.late(passed, err), &refusal) || errors.As(err, &refusal) {
		f.refusal.Store(refusal)
		err = refusal
	}
	if f.length >= 0 {
		return fmt.Sprintf("request body cut after %d of %d bytes (%v)", passed, f.length, err)
	}
	return fmt.Sprintf("request body cut or malformed after %d bytes (%v)", passed, err)
}

func (f *feed) send(kind byte, text []byte) {
	f.pipe.Write(append([]byte{kind}, text...))
}

// past is the deadline that ends what waits, now and later.
var past = time.Unix(1, 0)

// stop ends run, wherever it waits.
func (f *feed) stop() {
	f.client.SetDeadline(past)
	f.pipe.SetDeadline(past)
}
