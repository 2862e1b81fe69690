package workers

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/logging"
	"github.com/pyhost/pyhost/protocol/http1"
	"github.com/pyhost/pyhost/protocol/proxy"
	"github.com/pyhost/pyhost/workers/socket"
	"github.com/pyhost/pyhost/wsgi"
)

// proxyRules are the settings of the PROXY protocol.
type proxyRules struct {
	mode  proxy.Mode
	peers *wsgi.Trusted // who may send a header
}

func newProxyRules(c *config.Config) (proxyRules, error) {
	peers, err := wsgi.ParseTrusted(c.ProxyAllowIPs)
	if err != nil {
		return proxyRules{}, fmt.Errorf("proxy_allow_ips: %w", err)
	}
	return proxyRules{mode: proxy.Modes[c.ProxyProtocol], peers: peers}, nil
}

// admit does what comes before the first request on a guarded listener's connection, which the caller owns. It reports
// whether the caller still does.
func (w *worker) admit(c *conn) bool {
	if c.packets && !w.packets.admits(c) {
		w.refuse(c, "Connection", "uwsgi_allow_ips (--uwsgi-allow-from)")
		return false
	}
	if w.proxies.mode != proxy.Off && !w.proxyHeader(c) {
		return false
	}
	if c.encrypted {
		w.lane.encrypt(c, nil)
		return false
	}
	return true
}

// refuse turns a peer away that is not in the set of a setting; with gunicorn's status.
func (w *worker) refuse(c *conn, what, setting string) {
	w.log.Warning("%s of ip=%s refused: it is not in %s (403)", what, c.peer(), setting)
	page := http1.ErrorResponse(403, "")
	w.logRefused(c, nil, logging.Refused, 403, page)
	w.lane.finish(c, page)
}

// address is the peer's; not valid on a unix socket.
func (c *conn) address() netip.Addr {
	addr, err := netip.ParseAddr(string(c.facts.RemoteAddr))
	if err != nil {
		return netip.Addr{}
	}
	return addr
}

// proxyHeader takes a PROXY header off the connection, if it has come already, which is the common case. Else the lane
// waits for it.
func (w *worker) proxyHeader(c *conn) bool {
	var buf [512]byte
	n, errno := socket.Peek(c.fd, buf[:])
	if errno != 0 && errno != unix.EAGAIN {
		return true // the reader will see it
	}
	var header proxy.Header
	used, err := proxy.Parse(buf[:max(n, 0)], w.proxies.mode, &header)
	switch {
	case n == 0 && errno == 0: // the end
		return true
	case errors.Is(err, http1.ErrIncomplete):
		w.lane.awaitProxyHeader(c)
		return false
	}
	if err == nil {
		socket.Receive(c.fd, buf[:used])
	}
	return w.obeyProxy(c, &header, err)
}

// obeyProxy acts on the outcome of proxy.Parse and reports whether the connection goes on. A connection without a
// header is served as it is, as gunicorn does: what checks the server's health may not send one.
func (w *worker) obeyProxy(c *conn, h *proxy.Header, err error) bool {
	if errors.Is(err, proxy.ErrNone) {
		return true
	}
	if addr := c.address(); !c.facts.ListenerUnix && (!addr.IsValid() || !w.proxies.peers.Contains(addr)) {
		w.refuse(c, "PROXY header", "proxy_allow_ips (--proxy-allow-from)")
		return false
	}
	if err != nil {
		w.lane.incomplete(c, err, nil)
		return false
	}
	if !h.Local {
		w.introduce(c, h)
	}
	return true
}

// introduce makes the connection the one that the header describes, for all of its requests. Headers are the client's
// from now on, so it is the client that has to be in forwarded_allow_ips: a proxy that passes bytes on vouches for
// none.
func (w *worker) introduce(c *conn, h *proxy.Header) {
	f := &c.facts
	f.RemoteAddr = h.Source.Addr().Unmap().AppendTo(nil)
	f.RemotePort = strconv.AppendUint(nil, uint64(h.Source.Port()), 10)
	f.Trusted = w.isTrusted(h.Source.Addr())
	f.TLS = h.TLS
	// gunicorn's names
	f.Add("PROXY_PROTOCOL", []byte(h.Protocol))
	f.Add("PROXY_ADDR", h.Destination.Addr().Unmap().AppendTo(nil))
	f.Add("PROXY_PORT", strconv.AppendUint(nil, uint64(h.Destination.Port()), 10))
}

// awaitProxyHeader reads until it is known whether the connection begins with a PROXY header.
func (l *lane) awaitProxyHeader(c *conn) {
	l.start(c, func(f *os.File) {
		rest, ok := l.readProxyHeader(c, f)
		f.Close()
		switch {
		case ok && c.encrypted:
			l.encrypt(c, rest)
		case ok:
			l.giveBack(c, rest)
		}
	})
}

// readProxyHeader returns what followed the header, and whether the connection goes on; otherwise it has ended.
func (l *lane) readProxyHeader(c *conn, f *os.File) (rest []byte, ok bool) {
	l.heads.begin(f)
	defer l.heads.end(f)
	var header proxy.Header
	buf := make([]byte, 0, proxy.MaxSize)
	for {
		n, err := f.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if n == 0 {
			if len(buf) > 0 && late(err) != nil && !l.w.draining.Load() {
				l.incomplete(c, errProxyLate, nil)
			} else if len(buf) > 0 {
				l.incomplete(c, &cutError{fmt.Sprintf("%d bytes of a PROXY header (%v)", len(buf), err)}, nil)
			} else {
				l.w.close(c)
			}
			return nil, false
		}
		used, err := proxy.Parse(buf, l.w.proxies.mode, &header)
		if !errors.Is(err, http1.ErrIncomplete) {
			return buf[used:], l.w.obeyProxy(c, &header, err)
		}
	}
}
