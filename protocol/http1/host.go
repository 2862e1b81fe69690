package http1

import (
	"bytes"
	"net/netip"
)

// validHost says whether b is uri-host [ ":" port ] (RFC 9110 7.2, RFC 3986 3.2.2) with a host that is not empty. A
// port may be empty, as the grammar says, but not larger than 65535.
func validHost(b []byte) bool {
	end := 0
	if len(b) > 0 && b[0] == '[' {
		end = bytes.IndexByte(b, ']') + 1
		if end == 0 || !validIPv6(b[1:end-1]) {
			return false
		}
	} else if end = regName(b); end == 0 {
		return false
	}
	return end == len(b) || b[end] == ':' && validPort(b[end+1:])
}

// regName returns the length of the reg-name at the beginning of b.
func regName(b []byte) int {
	n := 0
	for n < len(b) {
		switch {
		case class[b[n]]&classHost != 0:
			n++
		case b[n] == '%' && n+2 < len(b) && all(b[n+1:n+3], classHex):
			n += 3
		default:
			return n
		}
	}
	return n
}

// validIPv6 refuses a zone, which means nothing to another machine.
func validIPv6(b []byte) bool {
	addr, err := netip.ParseAddr(string(b))
	return err == nil && addr.Is6() && addr.Zone() == ""
}

func validPort(b []byte) bool {
	port := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
		if port = port*10 + int(c-'0'); port > 65535 {
			return false
		}
	}
	return true
}
