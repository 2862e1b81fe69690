package wsgi

import (
	"fmt"
	"net/netip"
	"strings"
)

// Trusted is a set of peers: gunicorn's forwarded_allow_ips, proxy_allow_ips, uwsgi_allow_ips. Safe for concurrent use.
type Trusted struct {
	all      bool
	prefixes []netip.Prefix
}

// ParseTrusted reads a list of addresses, networks in CIDR notation, or "*" (everybody).
func ParseTrusted(list []string) (*Trusted, error) {
	t := &Trusted{}
	for _, item := range list {
		item = strings.TrimSpace(item)
		switch {
		case item == "":
		case item == "*":
			t.all = true
		default:
			prefix, err := parsePrefix(item)
			if err != nil {
				return nil, fmt.Errorf("%q is no address, network (10.0.0.0/8) or *", item)
			}
			t.prefixes = append(t.prefixes, prefix)
		}
	}
	return t, nil
}

// Contains says whether addr is in the set. A nil set is empty.
func (t *Trusted) Contains(addr netip.Addr) bool {
	if t == nil {
		return false
	}
	if t.all {
		return true
	}
	// An IPv4 peer of a dual-stack listener arrives as ::ffff:a.b.c.d.
	addr = addr.Unmap().WithZone("")
	for _, prefix := range t.prefixes {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

func parsePrefix(item string) (netip.Prefix, error) {
	if strings.Contains(item, "/") {
		prefix, err := netip.ParsePrefix(item)
		if addr := prefix.Addr(); addr.Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
		}
		return prefix.Masked(), err
	}
	addr, err := netip.ParseAddr(item)
	if err != nil {
		return netip.Prefix{}, err
	}
	addr = addr.Unmap()
	return addr.Prefix(addr.BitLen())
}
