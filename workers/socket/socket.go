// Package socket has the system calls of the request path in their raw form: they never block, so the Go scheduler
// need not be told, and none of them allocates.
package socket

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Receive reads what is there into p. The error is nil, EAGAIN (nothing there yet), or another errno; 0 bytes without
// an error mean that the peer is done sending.
func Receive(fd int, p []byte) (int, unix.Errno) {
	return receive(fd, p, unix.MSG_DONTWAIT)
}

// Peek is Receive without taking the bytes away.
func Peek(fd int, p []byte) (int, unix.Errno) {
	return receive(fd, p, unix.MSG_DONTWAIT|unix.MSG_PEEK)
}

func receive(fd int, p []byte, flags uintptr) (int, unix.Errno) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))),
			uintptr(len(p)), flags, 0, 0)
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}

// Send writes what the socket takes at once.
func Send(fd int, p []byte) (int, unix.Errno) { return SendMore(fd, p, 0) }

// SendMore is Send with further flags: MSG_MORE, if something follows at once.
func SendMore(fd int, p []byte, flags int) (int, unix.Errno) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))),
			uintptr(len(p)), uintptr(unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL|flags), 0, 0)
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}

// Ready reports whether one of the events (POLLIN, POLLHUP, ...) is there.
func Ready(fd int, events int16) bool {
	poll := unix.PollFd{Fd: int32(fd), Events: events}
	var now unix.Timespec
	n, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1, uintptr(unsafe.Pointer(&now)), 0, 0,
		0)
	return errno == 0 && n == 1 && poll.Revents&events != 0
}

// Poll takes the events that are there, without waiting.
func Poll(epoll int, events []unix.EpollEvent) int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// Peer is who a connection comes from.
type Peer struct {
	Addr netip.Addr // invalid on a unix socket
	Port uint16
}

// AppendAddr appends the address as REMOTE_ADDR shows it; an IPv4 peer of a dual-stack listener in its IPv4 form.
func (p Peer) AppendAddr(b []byte) []byte {
	if !p.Addr.IsValid() {
		return b
	}
	return p.Addr.Unmap().AppendTo(b)
}

// AppendPort appends REMOTE_PORT.
func (p Peer) AppendPort(b []byte) []byte {
	if !p.Addr.IsValid() {
		return b
	}
	return strconv.AppendUint(b, uint64(p.Port), 10)
}

// Accept takes one connection from a non-blocking listener. The new descriptor is close-on-exec.
func Accept(listener int) (int, Peer, unix.Errno) {
	var raw unix.RawSockaddrAny
	length := uint32(unix.SizeofSockaddrAny)
	fd, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(listener), uintptr(unsafe.Pointer(&raw)),
		uintptr(unsafe.Pointer(&length)), unix.SOCK_CLOEXEC, 0, 0)
	if errno != 0 {
		return -1, Peer{}, errno
	}
	return int(fd), peerOf(&raw), 0
}

func peerOf(raw *unix.RawSockaddrAny) Peer {
	switch raw.Addr.Family {
	case unix.AF_INET:
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(raw))
		return Peer{Addr: netip.AddrFrom4(in.Addr), Port: networkOrder(in.Port)}
	case unix.AF_INET6:
		in := (*unix.RawSockaddrInet6)(unsafe.Pointer(raw))
		return Peer{Addr: netip.AddrFrom16(in.Addr), Port: networkOrder(in.Port)}
	}
	return Peer{}
}

func networkOrder(port uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], port)
	return binary.BigEndian.Uint16(b[:])
}

// Close closes a socket, of which nothing has to be waited for: no SO_LINGER but the one that resets.
func Close(fd int) {
	unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
}

// AddEvents adds to an eventfd's counter.
func AddEvents(eventfd int, count uint64) {
	unix.RawSyscall(unix.SYS_WRITE, uintptr(eventfd), uintptr(unsafe.Pointer(&count)), 8)
}

// TakeEvent takes one from a semaphore eventfd; false when there is none.
func TakeEvent(eventfd int) bool {
	var count uint64
	_, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(eventfd), uintptr(unsafe.Pointer(&count)), 8)
	return errno == 0
}
