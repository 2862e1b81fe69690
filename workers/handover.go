package workers

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/wsgi"
)

// inlineBytes is how much of a request travels in the packet itself; more goes in a file of memory beside it.
const inlineBytes = 32 << 10

// packetRoom is more than a packet ever has: raw, rest and what is known of the connection, in JSON.
const packetRoom = 160 << 10

var packets = sync.Pool{New: func() any { return new([packetRoom]byte) }}

// handover is a worker's access to the queue of its generation: connections that wait behind a busy worker are put in,
// and whoever has a free thread takes them out. The queue lives in the kernel, so that it outlasts any worker.
type handover struct {
	w       *worker
	receive int // in the poller as a listener is; -1 in tests that have no siblings
	send    int
	mu      sync.Mutex
	closed  bool // nothing may be sent any more; under mu
}

func newHandover(w *worker, receive, send int) *handover {
	unix.CloseOnExec(receive)
	unix.CloseOnExec(send)
	return &handover{w: w, receive: receive, send: send}
}

// parcel is what travels with a connection's descriptor. A second descriptor is the spooled body, or else Raw, if that
// is too long for a packet.
type parcel struct {
	Listener   int    `json:"l"`
	RemoteAddr []byte `json:"a,omitempty"`
	RemotePort []byte `json:"p,omitempty"`
	Unix       bool   `json:"u,omitempty"`
	TLS        bool   `json:"t,omitempty"`
	Trusted    bool   `json:"y,omitempty"`
	Extra      []byte `json:"x,omitempty"`
	Entries    int    `json:"n,omitempty"`
	Packets    bool   `json:"w,omitempty"`
	Protocol   []byte `json:"v,omitempty"`
	Answered   bool   `json:"k,omitempty"`
	Waiting    int64  `json:"q"` // since when, CLOCK_MONOTONIC ns
	Raw        []byte `json:"r,omitempty"`
	Rest       []byte `json:"s,omitempty"`
	Size       int64  `json:"z,omitempty"` // of a spooled body
	Spooled    bool   `json:"f,omitempty"`
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
	packet, extra, err := pack(c)
	if err != nil {
		return false
	}
	fds := []int{c.fd}
	if extra != nil {
		defer extra.Close()
		fds = append(fds, int(extra.Fd()))
	}
	registered := c.registered
	if registered {
		// An entry in the poller belongs to the open connection, not to our descriptor: it would stay.
		if h.w.poller.remove(c.fd) != nil {
			return false
		}
		c.registered = false
	}
	if unix.Sendmsg(h.send, packet, unix.UnixRights(fds...), nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL) != nil {
		return false // full, or out of descriptors; park puts it into the poller again
	}
	if file := c.message.file; file != nil {
		file.Close()
	}
	c.state.Store(connClose)
	h.w.table.forget(c)
	h.w.python.DropConn(c.python)
	unix.Close(c.fd)
	h.w.gone()
	return true
}

// pack makes the packet of a connection, and the file that goes along.
func pack(c *conn) (packet []byte, extra *os.File, err error) {
	m, f := c.message, &c.facts
	variables := f.Extra()
	p := parcel{
		Listener: f.Listener, RemoteAddr: f.RemoteAddr, RemotePort: f.RemotePort, Unix: f.ListenerUnix, TLS: f.TLS,
		Trusted: f.Trusted, Extra: variables.Buf, Entries: variables.Entries, Packets: c.packets,
		Protocol: f.Protocol,
		Answered: c.answered.Load(), Waiting: m.since, Raw: m.raw, Rest: m.rest, Size: m.size, Spooled: m.file != nil,
	}
	switch {
	case m.file != nil:
		if extra, err = duplicate(m.file); err != nil {
			return nil, nil, err
		}
	case len(m.raw) > inlineBytes:
		if extra, err = memoryFile(m.raw); err != nil {
			return nil, nil, err
		}
		p.Raw = nil
	}
	packet, err = json.Marshal(&p)
	return packet, extra, err
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
	if _, err = f.Write(content); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// take takes a connection out of the queue; it is the caller's, with the message that it waits with. nil if there is
// none, or no room for it.
func (h *handover) take() *conn {
	if h.w.table.count.Load() >= h.w.maxConns {
		h.w.limitConnections()
		return nil
	}
	return h.receiveOne()
}

func (h *handover) receiveOne() *conn {
	if !h.w.reserve() {
		return nil
	}
	defer h.w.gone()
	buffer := packets.Get().(*[packetRoom]byte)
	defer packets.Put(buffer)
	packet, rights := buffer[:], make([]byte, unix.CmsgSpace(2*4))
	n, oobn, _, _, err := unix.Recvmsg(h.receive, packet, rights, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
	if err != nil || n <= 0 {
		return nil
	}
	fds, err := descriptorsIn(rights[:oobn])
	if err == nil {
		var c *conn
		if c, err = h.unpack(packet[:n], fds); err == nil {
			return c
		}
	}
	if len(fds) > 0 {
		unix.Close(fds[0])
	}
	h.w.log.Error("A connection from another worker is lost: %v", err)
	return nil
}

func descriptorsIn(rights []byte) ([]int, error) {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) != 1 {
		return nil, errors.New("it came without its descriptor (too many open files?)")
	}
	return unix.ParseUnixRights(&messages[0])
}

// unpack makes the connection of a packet. When it fails the first descriptor is still the caller's.
func (h *handover) unpack(packet []byte, fds []int) (*conn, error) {
	var p parcel
	var extra *os.File
	if len(fds) == 2 {
		extra = os.NewFile(uintptr(fds[1]), "body") // closed by its finalizer where an error leaves it
	}
	if err := json.Unmarshal(packet, &p); err != nil {
		return nil, err
	}
	m := &message{raw: p.Raw, rest: p.Rest, size: p.Size, since: p.Waiting}
	switch {
	case p.Spooled:
		m.file = extra
	case extra != nil:
		raw, err := io.ReadAll(extra)
		if err != nil {
			return nil, err
		}
		extra.Close()
		m.raw = raw
	}
	c, ok := h.w.table.add(fds[0], nil)
	if !ok {
		return nil, unix.EMFILE
	}
	c.facts = wsgi.Conn{
		RemoteAddr: p.RemoteAddr, RemotePort: p.RemotePort, Listener: p.Listener, ListenerUnix: p.Unix, TLS: p.TLS,
		Trusted: p.Trusted, Protocol: p.Protocol,
	}
	c.facts.SetExtra(wsgi.Frame{Buf: p.Extra, Entries: p.Entries})
	c.packets, c.message = p.Packets, m
	c.answered.Store(p.Answered)
	return c, nil
}

// seal ends giving for good: from now on what waits here is served here.
func (h *handover) seal() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
}
