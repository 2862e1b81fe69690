package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"

	"github.com/pyhost/pyhost/protocol/http1"
)

// MaxSize bounds a header, in bytes. One of version 1 has at most 107; one of version 2 may carry what the proxy knows
// of the client's TLS, certificates' names included.
const MaxSize = 4096

// ErrNone says that the connection does not begin with a PROXY header: what came is the client's.
var ErrNone = errors.New("proxy: no header")

// Mode says which versions are read.
type Mode int

// The values of gunicorn's proxy_protocol.
const (
	Off Mode = iota
	V1
	V2
	Auto // both
)

// Modes are the names of the modes.
var Modes = map[string]Mode{"off": Off, "v1": V1, "v2": V2, "auto": Auto}

// Header is what a proxy says of the connection.
type Header struct {
	// Local: the header says nothing about addresses; the proxy connects for itself (a health check), or its client
	// is not known. The connection's own addresses hold; the other fields are empty.
	Local bool
	// Protocol is TCP4 or TCP6, as version 1 names them.
	Protocol string
	// Source is the client, Destination the address that it connected to.
	Source, Destination netip.AddrPort
	// TLS: the client's connection to the proxy is encrypted (version 2, PP2_TYPE_SSL).
	TLS bool
}

// Parse reads the header at the beginning of buf and returns its length. The error is ErrNone, http1.ErrIncomplete when
// more bytes are needed, or a *http1.Refusal: a header that is wrong, or of a version that mode excludes.
func Parse(buf []byte, mode Mode, h *Header) (n int, err error) {
	*h = Header{}
	switch {
	case bytes.HasPrefix(buf, signature1):
		if mode == V2 {
			return 0, refuse("version 1, but only version 2 is read (--proxy-protocol)")
		}
		return parse1(buf, h)
	case bytes.HasPrefix(buf, signature2):
		if mode == V1 {
			return 0, refuse("version 2, but only version 1 is read (--proxy-protocol)")
		}
		return parse2(buf, h)
	case bytes.HasPrefix(signature1, buf), bytes.HasPrefix(signature2, buf):
		return 0, http1.ErrIncomplete
	}
	return 0, ErrNone
}

func refuse(format string, args ...any) *http1.Refusal {
	return &http1.Refusal{Status: 400, Rule: "PROXY header: " + fmt.Sprintf(format, args...)}
}
