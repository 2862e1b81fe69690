package wsgi

import "github.com/pyhost/pyhost/protocol/http1"

// Conn is what the environ says about the connection.
type Conn struct {
	// RemoteAddr and RemotePort are the peer's; both empty on a unix socket (REMOTE_ADDR is "", REMOTE_PORT is absent).
	RemoteAddr, RemotePort []byte
	// Listener is the index of the listener that accepted the connection.
	Listener int
	// ListenerUnix: SERVER_NAME and SERVER_PORT come from Host, because the listener has neither.
	ListenerUnix bool
	// TLS: the connection is encrypted, so the scheme is https.
	TLS bool
	// Trusted: the peer is in forwarded_allow_ips (a peer on a unix socket always is), so that its secure scheme headers
	// and forwarder headers count.
	Trusted bool
}

// Rules are the settings that decide how a request becomes an environ.
type Rules struct {
	// SecureSchemeHeaders is gunicorn's secure_scheme_headers: header name -> the exact value that means https.
	SecureSchemeHeaders map[string]string
	// ScriptName is the default mount point, from the environment variable SCRIPT_NAME; "" = the root.
	ScriptName string
	// ForwarderHeaders is gunicorn's forwarder_headers: header names with "_" that a trusted peer may send; "*" = any.
	// nil = SCRIPT_NAME and PATH_INFO; empty but not nil = none.
	ForwarderHeaders []string
}

// Encoder writes environ frames. It is meant to be kept and reused by one thread: it allocates nothing per request, and
// is not safe for concurrent use.
type Encoder struct {
	rules Rules
}

// NewEncoder returns an Encoder that follows rules.
func NewEncoder(rules Rules) *Encoder { return &Encoder{rules: rules} }

// Encode writes the environ of req on conn into frame. The error is a *http1.Refusal.
func (e *Encoder) Encode(frame *Frame, req *http1.Request, conn *Conn) error {
	frame.Buf, frame.Entries = frame.Buf[:0], 0
	return nil
}
