package workers

import (
	"context"
	"crypto/tls"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
)

// http2Server speaks HTTP/2 (RFC 9113) with clients that chose it in the TLS handshake. The protocol is net/http's;
// each stream becomes an HTTP/1.1 request on a connection of its own inside the worker (http2Conn), so that one parser
// checks all requests, and the Python threads serve the streams of a connection side by side.
type http2Server struct {
	w      *worker
	server *http.Server
	conns  chan net.Conn
	alone  bool // HTTP/1.1 is not allowed

	// streams are open, of all connections: worker_connections at most, lest a few clients use up the descriptors.
	streams atomic.Int64
}

// newHTTP2 returns nil if the settings do not allow HTTP/2.
func newHTTP2(w *worker, boot *wire.WorkerBoot) *http2Server {
	c := boot.Config
	if w.tls == nil || c.HTTPProtocols == "" || c.HTTPProtocols == "h1" {
		return nil
	}
	s := &http2Server{w: w, conns: make(chan net.Conn), alone: c.HTTPProtocols == "h2"}
	s.server = &http.Server{
		Handler: http.HandlerFunc(s.handle), ConnContext: s.connContext, Protocols: new(http.Protocols),
		HTTP2: http2Config(c, w.timeouts.writeLimit()), MaxHeaderBytes: http2Header(c.HTTP2MaxHeaderListSize),
		IdleTimeout: max(w.keepAlive, time.Second),
		ErrorLog:    log.New(http2Log{w}, "", 0),

		DisableGeneralOptionsHandler: true, // "OPTIONS *" is the application's, as in HTTP/1.1
	}
	s.server.Protocols.SetHTTP2(true)
	go s.server.Serve(s)
	return s
}

func http2Config(c *config.Config, stall time.Duration) *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams: c.HTTP2MaxConcurrentStreams, MaxReadFrameSize: c.HTTP2MaxFrameSize,
		MaxReceiveBufferPerStream: c.HTTP2InitialWindowSize, WriteByteTimeout: stall,
	}
}

// http2Header turns http2_max_header_list_size into net/http's MaxHeaderBytes, to which it adds 32 bytes for each of
// ten fields (RFC 9113 6.5.2). Without a limit the parser of HTTP/1.1 has the last word.
func http2Header(limit int) int {
	const typical = 10 * 32
	if limit == 0 {
		limit = 1 << 20
	}
	return max(limit-typical, 1)
}

// http2Log takes what net/http has to say of misbehaving clients.
type http2Log struct{ w *worker }

func (l http2Log) Write(text []byte) (int, error) {
	l.w.log.Debug("HTTP/2: %.500s", text)
	return len(text), nil
}

// serve takes over a connection whose handshake is done, and its conn.
func (s *http2Server) serve(conn *tls.Conn) {
	s.conns <- conn
	if s.w.draining.Load() { // it came too late to be told
		time.AfterFunc(drainPeriod, s.drain)
		time.AfterFunc(firstRequestDraining, s.drain)
	}
}

// Accept hands serve's connections to net/http; the server is its own listener.
func (s *http2Server) Accept() (net.Conn, error) {
	conn, ok := <-s.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

// Close does nothing: the worker's end is the listener's.
func (s *http2Server) Close() error { return nil }

// Addr is nobody's business.
func (s *http2Server) Addr() net.Addr { return nowhere }

// drain tells the clients to open no more streams (GOAWAY), and closes their connections when those they have are
// done.
func (s *http2Server) drain() {
	if s != nil {
		go s.server.Shutdown(context.Background())
	}
}

type http2Key struct{}

func (s *http2Server) connContext(ctx context.Context, conn net.Conn) context.Context {
	t := conn.(*tls.Conn).NetConn().(*transport)
	h := &http2Conn{w: s.w, facts: http2Facts(t.conn), client: t.File}
	t.closed = func() {
		h.close()
		s.w.close(t.conn)
	}
	return context.WithValue(ctx, http2Key{}, h)
}
