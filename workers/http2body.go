package workers

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// http2Held is how much of a response, in bytes, net/http keeps until it is more, is flushed, or the handler returns.
const http2Held = 4 << 10

// copyBody sends the body of response, each block of a stream as it comes.
func (h *http2Conn) copyBody(w http.ResponseWriter, response *http.Response) error {
	defer response.Body.Close()
	left := response.ContentLength
	send := h.send
	if left > 0 && left <= http2Held {
		send = h.sendAtEnd
	}
	block := make([]byte, tunnelBlock)
	for {
		n, err := response.Body.Read(block)
		if n > 0 {
			left -= int64(n)
			if err := send(w, block[:n], left <= 0); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// sendAtEnd sends a body that goes out, as a whole, when the handler has returned.
func (h *http2Conn) sendAtEnd(w http.ResponseWriter, block []byte, last bool) error {
	if limit := h.w.timeouts.write; last && limit > 0 {
		http.NewResponseController(w).SetWriteDeadline(after(limit))
	}
	_, err := w.Write(block)
	return err
}

// send sends a block, and what is held of those before it if flush says so. A client that lets the stream have no
// window (RFC 9113 5.2) would hold it for ever: when nothing has gone out for write_timeout, the stream is reset. While
// it is the socket that is full, http.HTTP2Config.WriteByteTimeout judges the connection.
func (h *http2Conn) send(w http.ResponseWriter, block []byte, flush bool) error {
	control := http.NewResponseController(w)
	defer h.watch(func() { control.SetWriteDeadline(past) })()
	_, err := w.Write(block)
	if err == nil && flush {
		err = control.Flush()
	}
	return err
}

// watch calls reset when write_timeout has passed and the client's socket does not move, unless stop was called before.
func (h *http2Conn) watch(reset func()) (stop func()) {
	limit := h.w.timeouts.write
	if limit == 0 {
		return func() {}
	}
	var mu sync.Mutex
	over, waiting := false, 0
	mu.Lock()
	defer mu.Unlock()
	var timer *time.Timer
	timer = time.AfterFunc(limit, func() {
		mu.Lock()
		defer mu.Unlock()
		switch now := unsent(h.client); {
		case over:
		case now > 0 && now != waiting:
			waiting = now
			timer.Reset(limit)
		default:
			h.w.log.Info("Client ip=%s took nothing of a stream for %v (write_timeout): reset", h.facts.RemoteAddr, limit)
			reset()
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
		timer.Stop()
	}
}
