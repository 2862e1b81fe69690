package arbiter

import (
	"slices"

	"github.com/pyhost/pyhost/config"
	"github.com/pyhost/pyhost/workers/wire"
	"golang.org/x/sys/unix"
)

// socket is one bind of the configuration, open. Descriptors are plain numbers: an os.File would change the blocking
// mode, which the workers share.
type socket struct {
	address  config.Address // without its protocol, which is the generation's
	listener wire.Listener
	// reusePort: each seat has a descriptor of its own (SO_REUSEPORT), which the master holds open while a worker is
	// replaced, so that no connection in its queue is lost.
	reusePort bool
	// another opens one more such descriptor at the same address.
	another func() (int, error)
	bySeat  map[int]int // seat index -> descriptor; only index 0 without reusePort
	// unlink removes the file of a Unix socket that this process made; nil for all others.
	unlink func()
}

// fd is the descriptor for the worker on a seat.
func (s *socket) fd(seat int) (int, error) {
	if !s.reusePort {
		seat = 0
	}
	if fd, ok := s.bySeat[seat]; ok {
		return fd, nil
	}
	fd, err := s.another()
	if err != nil {
		return -1, err
	}
	s.bySeat[seat] = fd
	return fd, nil
}

// close closes the master's descriptors. Workers have their own.
func (s *socket) close() {
	if s.unlink != nil {
		s.unlink()
	}
	for _, fd := range s.bySeat {
		_ = unix.Close(fd)
	}
	clear(s.bySeat)
}

// trim closes the descriptors of the seats that are not wanted any more.
func (s *socket) trim(wanted map[int]bool) {
	if !s.reusePort {
		return
	}
	for seat, fd := range s.bySeat {
		if !wanted[seat] {
			_ = unix.Close(fd)
			delete(s.bySeat, seat)
		}
	}
}

// socketSet is the sockets of one generation, in the order of the bind setting. Generations share the sockets that they
// have in common.
type socketSet []*socket

// at is the socket of an address that is not in taken, where several have the same address: see Address.AnyPort.
func (set socketSet) at(a config.Address, taken socketSet) *socket {
	for _, s := range set {
		if s.address == a.Place() && !slices.Contains(taken, s) {
			return s
		}
	}
	return nil
}

// fds are the descriptors for the worker on a seat, in the order of listeners.
func (set socketSet) fds(seat int) ([]int, error) {
	fds := make([]int, 0, len(set))
	for _, s := range set {
		fd, err := s.fd(seat)
		if err != nil {
			return nil, err
		}
		fds = append(fds, fd)
	}
	return fds, nil
}

// all are the descriptors that the master holds.
func (set socketSet) all() []int {
	var fds []int
	for _, s := range set {
		for _, fd := range s.bySeat {
			fds = append(fds, fd)
		}
	}
	return fds
}

// own are the sockets that pyhost has opened, in this master or in one before it. The others (systemd's, fd://) are
// somebody else's, who keeps them when pyhost has left, and keeps their options.
func (set socketSet) own() socketSet {
	return slices.DeleteFunc(slices.Clone(set), func(s *socket) bool { return s.address.Network == "fd" })
}

// listeners describe the sockets; protocols say what is spoken on them, in the same order.
func (set socketSet) listeners(protocols []string) []wire.Listener {
	listeners := make([]wire.Listener, 0, len(set))
	for i, s := range set {
		listener := s.listener
		listener.Protocol = protocols[i]
		listeners = append(listeners, listener)
	}
	return listeners
}

func (set socketSet) close() { set.closeExcept(nil) }

// closeExcept closes what is not in other.
func (set socketSet) closeExcept(other socketSet) {
	for _, s := range set.except(other) {
		s.close()
	}
}

// except are those that are not in other.
func (set socketSet) except(other socketSet) socketSet {
	return slices.DeleteFunc(slices.Clone(set), func(s *socket) bool { return slices.Contains(other, s) })
}

func (set socketSet) trim(wanted map[int]bool) {
	for _, s := range set {
		s.trim(wanted)
	}
}

// forsake closes the descriptors of a seat that has some of its own; its next worker gets new ones.
func (set socketSet) forsake(seat int) {
	for _, s := range set {
		if fd, ok := s.bySeat[seat]; ok && s.reusePort {
			_ = unix.Close(fd)
			delete(s.bySeat, seat)
		}
	}
}

// urls are the addresses as the "Listening at" line has them, as gunicorn writes them.
func urls(listeners []wire.Listener) []string {
	list := make([]string, 0, len(listeners))
	for _, l := range listeners {
		switch {
		case l.Network == "tcp":
			list = append(list, l.Protocol+"://"+l.Address)
		case l.Protocol == config.ProtocolHTTP:
			list = append(list, l.Address)
		default:
			list = append(list, l.Protocol+"+"+l.Address)
		}
	}
	return list
}
