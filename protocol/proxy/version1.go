package proxy

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"

	"github.com/pyhost/pyhost/protocol/http1"
)

// max1 is the longest header of version 1, with its CRLF (section 2.1).
const max1 = 107

var signature1 = []byte("PROXY ")

// parse1 reads PROXY TCP4|TCP6 SOURCE DESTINATION PORT PORT CRLF, or PROXY UNKNOWN, of which the rest is ignored.
func parse1(buf []byte, h *Header) (n int, err error) {
	end := bytes.Index(buf, []byte("\r\n"))
	switch {
	case end < 0 && len(buf) < max1 && bytes.IndexByte(buf, '\n') < 0:
		return 0, http1.ErrIncomplete
	case end < 0 || end+2 > max1:
		return 0, refuse("the line of version 1 does not end with CRLF within %d bytes", max1)
	}
	n = end + 2
	line := string(buf[len(signature1):end])
	if line == "UNKNOWN" || strings.HasPrefix(line, "UNKNOWN ") {
		h.Local = true
		return n, nil
	}
	parts := strings.Split(line, " ")
	if len(parts) != 5 || parts[0] != "TCP4" && parts[0] != "TCP6" {
		return 0, refuse("version 1 needs TCP4 or TCP6, two addresses and two ports, or UNKNOWN")
	}
	h.Protocol = parts[0]
	var ok bool
	if h.Source, ok = endpoint(parts[0], parts[1], parts[3]); !ok {
		return 0, refuse("the source is no address and port of %s", parts[0])
	}
	if h.Destination, ok = endpoint(parts[0], parts[2], parts[4]); !ok {
		return 0, refuse("the destination is no address and port of %s", parts[0])
	}
	return n, nil
}

func endpoint(family, address, port string) (at netip.AddrPort, ok bool) {
	addr, err := netip.ParseAddr(address)
	if err != nil || addr.Zone() != "" || addr.Is4() != (family == "TCP4") {
		return at, false
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(number, 10) != port { // no sign, no leading zero
		return at, false
	}
	return netip.AddrPortFrom(addr, uint16(number)), true
}
