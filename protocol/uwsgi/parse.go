package uwsgi

import (
	"encoding/binary"
	"fmt"

	"github.com/pyhost/pyhost/protocol/http1"
)

// Parse reads the packet at the beginning of buf, whose block of variables may have limit bytes, and returns the
// packet's length: the body starts there. The error is http1.ErrIncomplete when more bytes are needed, else a
// *http1.Refusal; packet is of no use then. It allocates nothing once packet has grown.
func Parse(buf []byte, limit int, packet *Packet) (n int, err error) {
	if len(buf) > 0 {
		// At once: what speaks another protocol may never send more.
		if err := packet.modifier(buf[0]); err != nil {
			return 0, err
		}
	}
	if len(buf) < headerSize {
		return 0, http1.ErrIncomplete
	}
	size := int(binary.LittleEndian.Uint16(buf[1:]))
	if size > limit {
		return 0, refuse(400, "packet of %d bytes, the limit (uwsgi_buffer_size) is %d", size, limit)
	}
	if packet.Ping {
		packet.Vars, packet.Request = packet.Vars[:0], http1.Request{Headers: packet.Request.Headers[:0]}
		return headerSize, nil
	}
	if buf[3] != 0 {
		return 0, refuse(400, "modifier2 is %d, only 0 is served", buf[3])
	}
	if len(buf) < headerSize+size {
		return 0, http1.ErrIncomplete
	}
	n = headerSize + size
	if err := packet.variables(buf[headerSize:n]); err != nil {
		return 0, err
	}
	if err := packet.describe(); err != nil {
		return 0, err
	}
	packet.Request.HeadLen = n
	return n, nil
}

func refuse(status int, format string, args ...any) *http1.Refusal {
	return &http1.Refusal{Status: status, Rule: "uwsgi: " + fmt.Sprintf(format, args...)}
}

func (p *Packet) modifier(modifier byte) error {
	p.Managed, p.Ping = modifier == modifierManaged, modifier == modifierPing
	switch {
	case modifier == modifierRequest, p.Managed, p.Ping:
		return nil
	case modifier >= 'A' && modifier <= 'Z':
		return refuse(400, "modifier1 is %d (%c): does the client speak HTTP?", modifier, modifier)
	}
	return refuse(400, "modifier1 is %d, only 0, 30 and 100 are served", modifier)
}

// variables splits the block. A pair that does not fit is what is left of more than MaxSize bytes when the sender does
// not check: it sends the size modulo 65536.
func (p *Packet) variables(block []byte) error {
	p.Vars = p.Vars[:0]
	for rest := block; len(rest) > 0; {
		var v http1.Header
		var ok bool
		if v.Name, rest, ok = text(rest); ok {
			v.Value, rest, ok = text(rest)
		}
		switch {
		case !ok:
			return refuse(400, "variable %d overruns the packet of %d bytes; more than %d cannot be sent",
				len(p.Vars)+1, len(block), MaxSize)
		case !validName(v.Name):
			return refuse(400, "the name of variable %d is empty or not printable", len(p.Vars)+1)
		case len(p.Vars) == maxVars:
			return refuse(400, "more than %d variables", maxVars)
		}
		p.Vars = append(p.Vars, v)
	}
	return nil
}

// text takes one length and its bytes off b.
func text(b []byte) (value, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	length := int(binary.LittleEndian.Uint16(b))
	if len(b)-2 < length {
		return nil, nil, false
	}
	return b[2 : 2+length : 2+length], b[2+length:], true
}

func validName(name []byte) bool {
	for _, c := range name {
		if c <= ' ' || c >= 0x7f || c == '=' {
			return false
		}
	}
	return len(name) > 0
}
