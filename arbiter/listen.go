package arbiter

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

// socketOptions are the settings that shape a listening socket.
type socketOptions struct {
	backlog   int // listen(2), connections
	umask     int // for the file of a Unix socket
	reusePort bool
	owner     *config.Owner // of the file of a Unix socket; nil = this process
}

func optionsOf(cfg *config.Config) socketOptions {
	return socketOptions{backlog: cfg.Backlog, umask: cfg.Umask, reusePort: cfg.ReusePort, owner: cfg.RunAs}
}

// listen opens the socket of one address. It wraps EADDRINUSE when somebody else listens there.
func listen(at config.Address, options socketOptions) (*socket, error) {
	switch at.Network {
	case "unix":
		return listenUnix(at, options)
	case "fd":
		return takeOver(at, options)
	}
	return listenTCP(at, options)
}

func listenTCP(at config.Address, options socketOptions) (*socket, error) {
	ip, err := lookup(at.Host)
	if err != nil {
		return nil, err
	}
	fd, err := openTCP(ip, at.Port, options)
	if err != nil {
		return nil, err
	}
	s, err := describeSocket(at, fd)
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	s.reusePort = options.reusePort
	// The bound port, not the wanted one: the kernel may have chosen it (port 0).
	s.another = func() (int, error) { return openTCP(ip, s.listener.Port, options) }
	return s, nil
}

// lookup is the IP address of a host; an IPv4 one where a name has both, as gunicorn's sockets for names are IPv4.
func lookup(host string) (netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip, nil
	}
	if strings.EqualFold(host, "localhost") { // RFC 6761 6.3: not a question for a DNS server, even without /etc/hosts
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	found, err := net.LookupIP(host)
	if err != nil {
		return netip.Addr{}, err
	}
	best := netip.Addr{}
	for _, ip := range found {
		if addr, ok := netip.AddrFromSlice(ip); ok && (!best.IsValid() || addr.Unmap().Is4() && best.Is6()) {
			best = addr.Unmap()
		}
	}
	if !best.IsValid() {
		return netip.Addr{}, fmt.Errorf("%s has no IP address", host)
	}
	return best, nil
}

// openTCP makes the socket by hand: net.Listen knows no backlog, and opens MPTCP sockets.
func openTCP(ip netip.Addr, port string, options socketOptions) (int, error) {
	family, name, err := tcpName(ip, port)
	if err != nil {
		return -1, err
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil && options.reusePort {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}
	if err == nil {
		err = unix.Bind(fd, name)
	}
	if err == nil {
		err = unix.Listen(fd, options.backlog)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	if !options.reusePort { // there a socket ends with its seat, and what is kept back with it
		keepBack(fd)
	}
	return fd, nil
}

// tcpName is an address in the kernel's form. An IPv6 wildcard takes IPv4 connections too, as the kernel's default is.
func tcpName(ip netip.Addr, decimal string) (family int, name unix.Sockaddr, err error) {
	port, err := strconv.Atoi(decimal)
	if err != nil {
		return 0, nil, err
	}
	if ip.Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: port, Addr: ip.As4()}, nil
	}
	in6 := &unix.SockaddrInet6{Port: port, Addr: ip.As16()}
	if zone := ip.Zone(); zone != "" {
		card, err := net.InterfaceByName(zone)
		if err != nil {
			return 0, nil, fmt.Errorf("network interface %q: %w", zone, err)
		}
		in6.ZoneId = uint32(card.Index)
	} else if ip.Is6() && ip.IsLinkLocalUnicast() { // the kernel would only say EINVAL
		return 0, nil, fmt.Errorf("a link-local address needs its network interface: [%s%%eth0], for example", ip)
	}
	return unix.AF_INET6, in6, nil
}

// takeOver uses a socket that this process inherited. It may listen already; its file, if it has one, is not ours.
func takeOver(at config.Address, options socketOptions) (*socket, error) {
	kind, err := unix.GetsockoptInt(at.FD, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return nil, fmt.Errorf("descriptor %d is no inherited socket: %w", at.FD, err)
	}
	if kind != unix.SOCK_STREAM {
		return nil, fmt.Errorf("descriptor %d is no stream socket", at.FD)
	}
	s, err := describeSocket(at, at.FD)
	if err != nil {
		return nil, err
	}
	listening, err := unix.GetsockoptInt(at.FD, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err == nil && listening == 0 {
		err = unix.Listen(at.FD, options.backlog)
	}
	if err == nil {
		err = unix.SetNonblock(at.FD, true)
	}
	if err != nil {
		return nil, fmt.Errorf("taking over descriptor %d: %w", at.FD, err)
	}
	unix.CloseOnExec(at.FD)
	return s, nil
}

// describeSocket is the socket of a bound descriptor, in the words of PEP 3333.
func describeSocket(at config.Address, fd int) (*socket, error) {
	name, err := unix.Getsockname(fd)
	if err != nil {
		return nil, err
	}
	listener := wire.Listener{Network: "tcp"}
	switch name := name.(type) {
	case *unix.SockaddrInet4:
		listener.Name, listener.Port = netip.AddrFrom4(name.Addr).String(), strconv.Itoa(name.Port)
	case *unix.SockaddrInet6:
		listener.Name, listener.Port = netip.AddrFrom16(name.Addr).String(), strconv.Itoa(name.Port)
	case *unix.SockaddrUnix:
		path := strings.Replace(name.Name, "\x00", "@", 1)
		listener = wire.Listener{Network: "unix", Name: path, Address: "unix:" + path}
	default:
		return nil, fmt.Errorf("descriptor %d is of a family that is not supported", fd)
	}
	if listener.Network == "tcp" {
		listener.Address = net.JoinHostPort(listener.Name, listener.Port)
	}
	return &socket{address: at, listener: listener, bySeat: map[int]int{0: fd}}, nil
}
