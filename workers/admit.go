package workers

import (
	"net/netip"

	"github.com/pyhost/pyhost/protocol/http1"
)

// admit does what comes before the first request on a guarded listener's connection, which the caller owns. It reports
// whether the caller still does.
func (w *worker) admit(c *conn) bool {
	if c.packets && !w.packets.admits(c) {
		w.log.Warning("Connection of ip=%s refused: it is not in uwsgi_allow_ips (--uwsgi-allow-from) (403)", c.peer())
		w.lane.finish(c, http1.ErrorResponse(403, "")) // gunicorn's answer
		return false
	}
	return true
}

// address is the peer's; not valid on a unix socket.
func (c *conn) address() netip.Addr {
	addr, err := netip.ParseAddr(string(c.facts.RemoteAddr))
	if err != nil {
		return netip.Addr{}
	}
	return addr
}
