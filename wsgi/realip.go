package wsgi

import (
	"bytes"
	"net/netip"
	"strconv"

	"github.com/pyhost/pyhost/protocol/http1"
)

// realIP finds the client behind proxies: setting real_ip.
type realIP struct {
	header    string // in lower case
	forwarded bool   // the header is Forwarded (RFC 7239), else a list of addresses such as X-Forwarded-For
	trusted   *Trusted
	text      []byte // scratch: address and port
}

// client returns the address and the port, empty if unknown, of the request's client. peer and port are the
// connection's, which is trusted.
//
// Each proxy appends the address that it was reached from. So the last address is what the peer says; while that is a
// proxy that is trusted too, the one before it is what that proxy says, and so on. What an address that is not trusted
// says of others could be anything.
func (r *realIP) client(headers []http1.Header, peer, port []byte) (addr, clientPort []byte) {
	found := r.walk(headers)
	if !found.IsValid() {
		return peer, port
	}
	r.text = found.Addr().Unmap().AppendTo(r.text[:0])
	n := len(r.text)
	if found.Port() != 0 {
		r.text = strconv.AppendUint(r.text, uint64(found.Port()), 10)
	}
	return r.text[:n:n], r.text[n:]
}

// walk returns the last address that a trusted hop tells; not valid if the first one tells none.
func (r *realIP) walk(headers []http1.Header) (found netip.AddrPort) {
	for i := len(headers) - 1; i >= 0; i-- {
		h := &headers[i]
		if len(h.Name) != len(r.header) || !equalFold(h.Name, r.header) {
			continue
		}
		for rest, more := h.Value, true; more; {
			var item []byte
			rest, item, more = cutLast(rest, ',', r.forwarded)
			node, ok := parseNode(item, r.forwarded)
			if !ok {
				return found // "unknown", "_hidden" or nonsense: nothing before it can be trusted
			}
			found = node
			if !r.trusted.Contains(node.Addr()) {
				return found
			}
		}
	}
	return found
}

// cutLast cuts the last member off a list. Where there are quoted strings, a separator between quotes is none (RFC 7239
// 4). They are looked for from the end, which the proxy wrote: a quote that the client left open before it hides
// nothing.
func cutLast(list []byte, separator byte, quotes bool) (rest, last []byte, more bool) {
	quoted := false
	for i := len(list) - 1; i >= 0; i-- {
		switch {
		case quotes && list[i] == '"':
			quoted = !quoted
		case list[i] == separator && !quoted:
			return list[:i], list[i+1:], true
		}
	}
	return nil, list, false
}

// parseNode reads an address, which may have a port: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1]:80; in a
// Forwarded element it is the value of "for".
func parseNode(node []byte, forwarded bool) (at netip.AddrPort, ok bool) {
	if forwarded {
		node = forValue(node)
	}
	node = bytes.TrimSpace(node)
	if addr, err := netip.ParseAddr(string(node)); err == nil {
		return netip.AddrPortFrom(addr, 0), addr.Zone() == ""
	}
	if n := len(node); n > 2 && node[0] == '[' && node[n-1] == ']' {
		addr, err := netip.ParseAddr(string(node[1 : n-1]))
		return netip.AddrPortFrom(addr, 0), err == nil && addr.Is6() && addr.Zone() == ""
	}
	at, err := netip.ParseAddrPort(string(node))
	return at, err == nil && at.Addr().Zone() == ""
}

// forValue is the value of the parameter "for" of an element of Forwarded, without its quotes.
func forValue(element []byte) []byte {
	for more := true; more; {
		var pair []byte
		element, pair, more = cutLast(element, ';', true)
		name, value, _ := bytes.Cut(bytes.TrimSpace(pair), []byte{'='})
		if len(name) != len("for") || !equalFold(name, "for") {
			continue
		}
		if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
			value = value[1 : n-1]
		}
		return value
	}
	return nil
}
