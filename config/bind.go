package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// DefaultPort is the port of an address that names none.
const DefaultPort = "8000"

// What is spoken on a listening socket.
const (
	ProtocolHTTP  = "http"
	ProtocolHTTPS = "https"
	ProtocolUWSGI = "uwsgi"
)

// Address is one place to listen on.
type Address struct {
	// Protocol is one of the Protocol names if the address itself says it, else "": see Config.ProtocolOf.
	Protocol string
	// Network is "tcp", "unix" or "fd".
	Network string
	// Host is a lower-case name or an IP address without brackets, never empty; tcp only.
	Host string
	// Port is a decimal number from 0 (the kernel chooses) to 65535; tcp only.
	Port string
	// Path is the socket's file, relative or absolute; a leading NUL makes it an abstract name. unix only.
	Path string
	// FD is an inherited file descriptor; fd only.
	FD int
}

// Place is a without its protocol: two addresses with the same place are one socket.
func (a Address) Place() Address {
	a.Protocol = ""
	return a
}

// AnyPort reports whether the kernel chooses the port: such an address, given twice, is two sockets.
func (a Address) AnyPort() bool { return a.Network == "tcp" && a.Port == "0" }

// String is the address as it stands in the log: 127.0.0.1:8000, [::1]:8000, unix:/x.sock, fd://3, and with a protocol
// uwsgi://127.0.0.1:8000, uwsgi+unix:/x.sock. ParseBind reads it back to the same Address.
func (a Address) String() string {
	switch {
	case a.Protocol == "":
	case a.Network == "tcp":
		return a.Protocol + "://" + a.Place().String()
	default:
		return a.Protocol + "+" + a.Place().String()
	}
	switch a.Network {
	case "unix":
		if strings.HasPrefix(a.Path, "//") { // "unix:" takes two slashes after it for its own
			return "unix://" + a.Path
		}
		return "unix:" + a.Path
	case "fd":
		return "fd://" + strconv.Itoa(a.FD)
	}
	return net.JoinHostPort(a.Host, a.Port)
}

// ParseBind reads an address in the grammar of gunicorn's bind setting: HOST, HOST:PORT, [IPV6]:PORT, each also with
// tcp:// before it, unix:PATH, unix://PATH, fd://N. A missing port is 8000; a missing host, or nothing at all, is
// 0.0.0.0. A host name is not looked up. Text that gunicorn would misread (a third ":", a bare IPv6 address) is an
// error. The error says what is wrong without naming the setting.
//
// Beyond gunicorn's grammar an address may say what is spoken there: http://, https:// or uwsgi:// in place of tcp://,
// and http+, https+ or uwsgi+ before unix: and fd://.
func ParseBind(bind string) (Address, error) {
	bind = strings.TrimSpace(bind)
	for _, protocol := range []string{ProtocolHTTP, ProtocolHTTPS, ProtocolUWSGI} {
		rest, ok := strings.CutPrefix(bind, protocol+"://")
		if !ok {
			if rest, ok = strings.CutPrefix(bind, protocol+"+"); !ok {
				continue
			}
			if !strings.HasPrefix(rest, "unix:") && !strings.HasPrefix(rest, "fd://") {
				return Address{}, fmt.Errorf("after %s+ comes unix:PATH or fd://N", protocol)
			}
		} else if strings.HasPrefix(rest, "unix:") {
			return Address{}, fmt.Errorf("a unix socket is written %s+unix:PATH", protocol)
		} else if strings.Contains(rest, "://") {
			return Address{}, fmt.Errorf("more than one scheme; write %s://HOST:PORT", protocol)
		}
		at, err := parsePlace(rest)
		if err == nil {
			at.Protocol = protocol
		}
		return at, err
	}
	return parsePlace(bind)
}

func parsePlace(bind string) (Address, error) {
	if path, ok := strings.CutPrefix(bind, "unix:"); ok {
		return parseUnix(strings.TrimPrefix(path, "//"))
	}
	if number, ok := strings.CutPrefix(bind, "fd://"); ok {
		return parseFD(number)
	}
	netloc := strings.TrimPrefix(bind, "tcp://")
	if scheme, _, ok := strings.Cut(netloc, "://"); ok {
		return Address{}, fmt.Errorf("%s:// is not for addresses to listen on; write HOST:PORT, unix:PATH or fd://N",
			scheme)
	}
	if strings.HasPrefix(netloc, "[") {
		return parseBracketed(netloc)
	}
	host, port, hasPort := strings.Cut(netloc, ":")
	switch {
	case strings.Contains(port, ":"):
		return Address{}, errors.New("more than one colon; an IPv6 address needs brackets, as in [::1]:8000")
	case !hasPort && host != "" && host != "0" && onlyOf(host, "0123456789"):
		return Address{}, fmt.Errorf("only a port? write :%s for all addresses or 127.0.0.1:%s for this machine", host, host)
	case !hasPort:
		port = DefaultPort
	}
	return newTCP(host, port)
}

func parseUnix(path string) (Address, error) {
	if path == "" {
		return Address{}, errors.New("the path of the unix socket is missing")
	}
	// The first byte alone may be NUL: that is how the kernel marks an abstract name.
	if strings.Contains(path[1:], "\x00") {
		return Address{}, errors.New("a path cannot contain a NUL byte")
	}
	// sockaddr_un.sun_path holds 108 bytes with the final NUL (unix(7)).
	if len(path) > 107 {
		return Address{}, fmt.Errorf("the path of a unix socket has at most 107 bytes, this one has %d", len(path))
	}
	return Address{Network: "unix", Path: path}, nil
}

func parseFD(number string) (Address, error) {
	fd, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return Address{}, fmt.Errorf("%s is not a file descriptor number", quote(number))
	}
	return Address{Network: "fd", FD: int(fd)}, nil
}

// parseBracketed reads [HOST] and [HOST]:PORT.
func parseBracketed(netloc string) (Address, error) {
	host, rest, closed := strings.Cut(netloc[1:], "]")
	if !closed {
		return Address{}, errors.New("the closing bracket is missing")
	}
	if _, err := netip.ParseAddr(host); err != nil {
		return Address{}, fmt.Errorf("%s is not an IPv6 address", quote(host))
	}
	port, hasPort := strings.CutPrefix(rest, ":")
	if !hasPort {
		if rest != "" {
			return Address{}, fmt.Errorf("after the closing bracket comes :PORT, not %s", quote(rest))
		}
		port = DefaultPort
	}
	// A zone is the name of an interface, in which capitals count.
	address, zone, scoped := strings.Cut(host, "%")
	host = strings.ToLower(address)
	if scoped {
		host += "%" + zone
	}
	return newTCPUnchecked(host, port)
}

func newTCP(host, port string) (Address, error) {
	host = strings.ToLower(host)
	switch {
	case host == "" || host == "0": // `0:8000` is what Django's runserver taught people to write
		host = "0.0.0.0"
	case host == "unix": // in capitals, or after tcp://: written out it would read as a socket file
		return Address{}, errors.New("unix cannot be a host name; a socket file is unix:PATH, in lower case")
	case host == "*":
		return Address{}, errors.New("* is not a host; write 0.0.0.0 for all IPv4 or [::] for all addresses")
	case onlyOf(host, "0123456789."):
		if _, err := netip.ParseAddr(host); err != nil {
			return Address{}, fmt.Errorf("%s is not an IPv4 address", quote(host))
		}
	case !onlyOf(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_"):
		return Address{}, fmt.Errorf("%s is not a host name", quote(host))
	}
	return newTCPUnchecked(host, port)
}

// newTCPUnchecked makes an address of a host that is known to be good and a port that is not.
func newTCPUnchecked(host, port string) (Address, error) {
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return Address{}, fmt.Errorf("%s is not a port number (0 to 65535)", quote(port))
	}
	return Address{Network: "tcp", Host: host, Port: strconv.FormatUint(number, 10)}, nil
}

func onlyOf(text, allowed string) bool { return strings.Trim(text, allowed) == "" }

// bindItem checks one item of the bind setting. The text stays as it was written: it is what the application may see.
func bindItem(_, bind string) (string, error) {
	if _, err := ParseBind(bind); err != nil {
		return "", err
	}
	return bind, nil
}
