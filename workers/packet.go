package workers

import (
	"errors"
	"fmt"
	"os"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/protocol/http1"
	"github.com/pyhost/pyhost/protocol/uwsgi"
	"github.com/pyhost/pyhost/workers/socket"
	"github.com/pyhost/pyhost/wsgi"
)

// packetRules are the settings of the uwsgi protocol.
type packetRules struct {
	peers *wsgi.Trusted // who may speak it
	limit int           // bytes of variables
}

func newPacketRules(c *config.Config) (packetRules, error) {
	peers, err := wsgi.ParseTrusted(c.UWSGIAllowIPs)
	if err != nil {
		return packetRules{}, fmt.Errorf("uwsgi_allow_ips: %w", err)
	}
	return packetRules{peers: peers, limit: c.UWSGIBufferSize}, nil
}

func (r *packetRules) admits(c *conn) bool {
	addr := c.address()
	return c.facts.ListenerUnix || addr.IsValid() && r.peers.Contains(addr)
}

// consumePacket serves the one request of a uwsgi connection, which begins with data. The connection is not the
// thread's afterwards: there is no keep-alive.
func (t *thread) consumePacket(c *conn, data []byte) bool {
	n, err := uwsgi.Parse(data, t.w.packets.limit, &t.packet)
	t.request = t.packet.Request
	length := t.request.ContentLength
	if err == nil && t.w.bodyTooLarge(length) {
		err = errPacketBody
	}
	switch {
	case errors.Is(err, http1.ErrIncomplete), err == nil && int64(len(data)-n) < length:
		t.w.lane.receive(c, data)
	case err != nil:
		t.refuse(c, err, c.line(data))
	case t.packet.Ping:
		socket.Send(c.fd, uwsgi.Pong) // four bytes always fit
		t.w.lane.end(c)
	default:
		t.respondLast(c, request{kind: bodyKind(&t.request), body: data[n : n+int(length)], once: true})
	}
	return false
}

// line is head, the beginning of a message on c, in the form of an HTTP request line if it is a uwsgi packet; nil if
// that is not whole.
func (c *conn) line(head []byte) []byte {
	var packet uwsgi.Packet
	if !c.packets {
		return head
	}
	if _, err := uwsgi.Parse(head, uwsgi.MaxSize, &packet); err != nil || packet.Ping {
		return nil
	}
	protocol := protocols[0]
	for _, v := range packet.Vars {
		if string(v.Name) == "SERVER_PROTOCOL" {
			protocol = v.Value
		}
	}
	return fmt.Appendf(nil, "%s %s %s", packet.Request.Method, packet.Request.Target, protocol)
}

var errPacketBody = &http1.Refusal{Status: 413, Rule: "body larger than limit_request_body"}

func (w *worker) bodyTooLarge(length int64) bool { return w.limits.Body > 0 && length > w.limits.Body }

// respondLast is respond for a request that no other may follow.
func (t *thread) respondLast(c *conn, r request) {
	if t.respond(c, r) {
		t.w.lane.end(c)
	}
}

// completePacket reads from f until the packet that begins with raw and its body are whole.
func (l *lane) completePacket(f *os.File, raw []byte) (*message, error) {
	r := &receiver{l: l, f: f, raw: raw}
	var packet uwsgi.Packet
	if err := r.packet(&packet); err != nil {
		return nil, err
	}
	r.request = packet.Request
	if packet.Ping {
		return &message{raw: r.raw}, nil
	}
	if l.w.bodyTooLarge(r.request.ContentLength) {
		return nil, errPacketBody
	}
	r.pace = l.w.timeouts.pace()
	return r.measured()
}

func (r *receiver) packet(packet *uwsgi.Packet) error {
	r.l.heads.begin(r.f)
	defer r.l.heads.end(r.f)
	for {
		_, err := uwsgi.Parse(r.raw, r.l.w.packets.limit, packet)
		if !errors.Is(err, http1.ErrIncomplete) {
			return err
		}
		if err := r.more(r.f.Read); err != nil {
			if refusal := late(err); refusal != nil {
				return refusal
			}
			return &cutError{fmt.Sprintf("%d bytes of a uwsgi packet (%v)", len(r.raw), err)}
		}
	}
}
