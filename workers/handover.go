package workers

import (
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/workers/socket"
	"github.com/pyhost/pyhost/wsgi"
)

// inlineBytes is how much of a request travels in the packet itself; more goes in a file of memory beside it.
const inlineBytes = 16 << 10

// packetRoom is the longest packet: raw, rest and what is known of the connection.
const packetRoom = 64 << 10

// packetKept is how long a packet's memory may be to be kept for the next: most have no request in them.
const packetKept = 4 << 10

var packets = sync.Pool{New: func() any { return new([packetRoom]byte) }}

// handover is a worker's access to the queue of its generation: connections that wait behind a busy worker are put in,
// and whoever has a free thread takes them out. The queue lives in the kernel, so that it outlasts any worker.
type handover struct {
	w       *worker
	receive int // in the poller as a listener is; -1 in tests that have no siblings
	send    int
	mu      sync.Mutex
	closed  bool   // nothing may be sent any more; under mu
	packet  []byte // memory for the next one; under mu
}

func newHandover(w *worker, receive, send int) *handover {
	unix.CloseOnExec(receive)
	unix.CloseOnExec(send)
	return &handover{w: w, receive: receive, send: send}
}

// movable reports whether another process can serve the connection.
func (c *conn) movable() bool { return c.tunnel == nil && !c.encrypted && !c.own }

// give passes a connection, which is the caller's and waits with c.message, on. It reports false, and nothing has
// changed, when that is not possible now.
func (h *handover) give(c *conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(c.message.rest) > inlineBytes {
		return false
	}
	extra, err := h.pack(c)
	if err != nil {
		return false
	}
	if extra != nil {
		defer extra.Close()
	}
	registered := c.registered
	if registered {
		// An entry in the poller belongs to the open connection, not to our descriptor: it would stay.
		if h.w.poller.remove(c.fd) != nil {
			return false
		}
		c.registered = false
	}
	if !h.dispatch(c.fd, extra) {
		return false // full, or out of descriptors; park puts it into the poller again
	}
	if file := c.message.file; file != nil {
		file.Close()
	}
	c.state.Store(connClose)
	h.w.table.forget(c)
	h.w.python.DropConn(c.python)
	unix.Close(c.fd)
	h.w.table.recycle(c)
	h.w.gone()
	return true
}

// dispatch sends the packet, with the connection's descriptor and the file that goes along, if there is one.
func (h *handover) dispatch(fd int, extra *os.File) bool {
	if extra != nil {
		return socket.SendRights(h.send, h.packet, fd, int(extra.Fd())) == 0
	}
	return socket.SendRights(h.send, h.packet, fd) == 0
}

var errPacketRoom = errors.New("too long for a packet")

// pack makes the packet of a connection in h.packet, and the file that goes along.
func (h *handover) pack(c *conn) (extra *os.File, err error) {
	m, f := c.message, &c.facts
	variables := f.Extra()
	p := parcel{
		listener: uint64(f.Listener), entries: uint64(variables.Entries), since: uint64(m.since), size: uint64(m.size),
		remoteAddr: f.RemoteAddr, remotePort: f.RemotePort, protocol: f.Protocol, extra: variables.Buf,
		raw: m.raw, rest: m.rest,
	}
	p.set(parcelUnix, f.ListenerUnix)
	p.set(parcelTLS, f.TLS)
	p.set(parcelTrusted, f.Trusted)
	p.set(parcelPackets, c.packets)
	p.set(parcelAnswered, c.answered.Load())
	p.set(parcelSpooled, m.file != nil)
	p.set(parcelProtocol, f.Protocol != nil)
	switch {
	case m.file != nil:
		extra, err = duplicate(m.file)
	case len(m.raw) > inlineBytes:
		p.raw = nil
		extra, err = memoryFile(m.raw)
	}
	if err != nil {
		return nil, err
	}
	if cap(h.packet) > packetKept {
		h.packet = nil
	}
	if h.packet = p.append(h.packet[:0]); len(h.packet) > packetRoom {
		extra.Close() // nil is allowed
		return nil, errPacketRoom
	}
	return extra, nil
}

func duplicate(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	return os.NewFile(uintptr(fd), "body"), nil
}

func memoryFile(content []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("pyhost-request", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "request")
	if _, err = f.Write(content); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// take takes a connection out of the queue; it is the caller's, with the message that it waits with. nil if there is
// none, or no room for it.
func (h *handover) take() *conn {
	if h.w.table.count.Load() >= h.w.maxConns {
		h.w.givingWay.Lock()
		defer h.w.givingWay.Unlock()
		if !h.w.makeRoom(h.receive) {
			return nil
		}
	}
	return h.receiveOne()
}

func (h *handover) receiveOne() *conn {
	if h.w.scarce.Load() && !h.affords() {
		h.w.acceptFailed(unix.EMFILE)
		return nil
	}
	if !h.w.reserve() {
		return nil
	}
	defer h.w.gone()
	return h.receiveReserved()
}

// affords reports whether there is room for the descriptors of a packet, which are lost without it. Only a worker that
// has run out of them before looks; its siblings take what it leaves.
func (h *handover) affords() bool {
	for range socket.MaxRights {
		fd, err := unix.FcntlInt(uintptr(h.receive), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return false
		}
		defer unix.Close(fd) // not before there was room for all of them
	}
	return true
}

// receiveReserved is receiveOne for a caller that keeps the worker from ending.
func (h *handover) receiveReserved() *conn {
	buffer := packets.Get().(*[packetRoom]byte)
	defer packets.Put(buffer)
	n, fds, count, errno := socket.ReceiveRights(h.receive, buffer[:])
	if errno != 0 || n <= 0 {
		return nil
	}
	c, err := h.unpack(buffer[:n], fds[:count])
	if err == nil {
		return c
	}
	for _, fd := range fds[:count] {
		unix.Close(fd)
	}
	h.w.log.Error("A connection from another worker is lost: %v", err)
	if errors.Is(err, errNoDescriptor) {
		h.w.acceptFailed(unix.EMFILE)
	}
	return nil
}

var errNoDescriptor = errors.New("it came without its descriptor (too many open files?)")

// unpack makes the connection of a packet. When it fails the descriptors are still the caller's.
func (h *handover) unpack(packet []byte, fds []int) (*conn, error) {
	var p parcel
	if len(fds) == 0 {
		return nil, errNoDescriptor
	}
	if err := p.parse(packet); err != nil {
		return nil, err
	}
	if p.listener >= uint64(len(h.w.listeners)) {
		return nil, errParcel
	}
	m := message{raw: cloned(p.raw), rest: cloned(p.rest), size: int64(p.size), since: int64(p.since)}
	switch {
	case p.has(parcelSpooled) && len(fds) < 2:
		return nil, errNoDescriptor
	case !p.has(parcelSpooled) && len(fds) == 2:
		var err error
		if m.raw, err = contents(fds[1]); err != nil {
			return nil, err
		}
	}
	c, ok := h.w.table.add(fds[0])
	if !ok {
		return nil, unix.EMFILE
	}
	switch {
	case p.has(parcelSpooled):
		m.file = os.NewFile(uintptr(fds[1]), "body")
	case len(fds) == 2:
		unix.Close(fds[1])
	}
	c.hold(m)
	c.learn(&p)
	return c, nil
}

// contents reads a file of memory from its start.
func contents(fd int) ([]byte, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return nil, os.NewSyscallError("fstat", err)
	}
	content := make([]byte, stat.Size)
	for read := 0; read < len(content); {
		n, err := unix.Pread(fd, content[read:], int64(read))
		if err != nil {
			return nil, os.NewSyscallError("pread", err)
		}
		if n == 0 {
			return nil, io.ErrUnexpectedEOF
		}
		read += n
	}
	return content, nil
}

// learn is what the other worker knew of the connection; nothing of it stays in the packet.
func (c *conn) learn(p *parcel) {
	text := append(append(c.peerText[:0], p.remoteAddr...), p.remotePort...)
	n := len(p.remoteAddr)
	c.facts = wsgi.Conn{
		RemoteAddr: text[:n:n], RemotePort: text[n:], Listener: int(p.listener), ListenerUnix: p.has(parcelUnix),
		TLS: p.has(parcelTLS), Trusted: p.has(parcelTrusted),
	}
	if p.has(parcelProtocol) {
		c.facts.Protocol = cloned(p.protocol)
	}
	if p.entries > 0 {
		c.facts.SetExtra(wsgi.Frame{Buf: cloned(p.extra), Entries: int(p.entries)})
	}
	c.packets = p.has(parcelPackets)
	c.answered.Store(p.has(parcelAnswered))
}

// cloned is a copy of its own, nil of nothing.
func cloned(b []byte) []byte { return append([]byte(nil), b...) }

// seal ends giving for good: from now on what waits here is served here.
func (h *handover) seal() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
}
