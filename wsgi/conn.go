package wsgi

// Conn is what the environ says about the connection.
type Conn struct {
	// RemoteAddr and RemotePort are the peer's; both empty on a unix socket (REMOTE_ADDR is "", REMOTE_PORT is
	// absent).
	RemoteAddr, RemotePort []byte
	// Listener is the index of the listener that accepted the connection.
	Listener int
	// ListenerUnix: SERVER_NAME and SERVER_PORT come from Host, because the listener has neither.
	ListenerUnix bool
	// TLS: the connection is encrypted, so the scheme is https.
	TLS bool
	// Trusted: the peer is in forwarded_allow_ips (a peer on a unix socket always is), so that its secure scheme
	// headers and forwarder headers count.
	Trusted bool

	// Protocol is SERVER_PROTOCOL where it is not that of the request's bytes; nil = it is.
	Protocol []byte

	extra Frame // further variables, see Add
}

// Extra are the variables that Add added, for SetExtra of a copy in another process.
func (c *Conn) Extra() Frame { return c.extra }

// SetExtra gives the connection the variables of another; f is the connection's from then on.
func (c *Conn) SetExtra(f Frame) { c.extra = f }

// Add makes name=value a variable of every request on the connection. name must be none that a request brings: neither
// of Keys nor HTTP_*. Before the first request only.
func (c *Conn) Add(name string, value []byte) {
	c.extra.begin(CustomKey|uint32(len(name)), len(value))
	c.extra.Buf = append(append(c.extra.Buf, name...), value...)
}
