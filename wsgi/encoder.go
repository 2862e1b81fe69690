package wsgi

import (
	"bytes"
	"strings"

	"github.com/pyhost/pyhost/protocol/http1"
)

// Encoder writes environ frames. It is meant to be kept and reused by one thread: it allocates nothing per request,
// and is not safe for concurrent use.
type Encoder struct {
	schemes    []schemeHeader
	forwarders forwarders
	mount      mount
	fields     fields
	realIP     *realIP    // nil = off
	ids        *requestID // nil = off
}

// NewEncoder returns an Encoder that follows rules.
func NewEncoder(rules Rules) *Encoder {
	e := &Encoder{
		schemes:    schemeHeaders(rules.SecureSchemeHeaders),
		forwarders: newForwarders(rules.ForwarderHeaders),
		mount:      newMount(rules.ScriptName),
		fields:     newFields(rules.HeaderMap),
	}
	if rules.RealIP != "" {
		header := strings.ToLower(rules.RealIP)
		e.realIP = &realIP{header: header, forwarded: header == "forwarded", trusted: rules.Trusted}
	}
	if rules.RequestID != "" {
		e.ids = newRequestID(rules.RequestID)
	}
	return e
}

var (
	protocols = [2][]byte{[]byte("HTTP/1.0"), []byte("HTTP/1.1")}
	https     = []byte("https")
	httpPort  = []byte("80")
	httpsPort = []byte("443")

	errScheme = &http1.Refusal{Status: 400, Rule: "secure scheme headers contradict each other"}
)

// Encode writes the environ of req on conn into frame. The error is a *http1.Refusal; frame is of no use then.
//
// SCRIPT_NAME is written only if it differs from the default mount point, wsgi.url_scheme only if it is https,
// SERVER_NAME and SERVER_PORT only for unix listeners: everything else that a WSGI environ has is the same for
// every request.
func (e *Encoder) Encode(frame *Frame, req *http1.Request, conn *Conn) error {
	frame.Buf, frame.Entries = frame.Buf[:0], 0
	frame.put(keyRequestMethod, req.Method)
	frame.put(keyRawURI, req.Target)
	frame.put(keyRequestURI, req.Target)
	frame.put(keyQueryString, req.Query)
	if conn.Protocol != nil {
		frame.put(keyServerProtocol, conn.Protocol)
	} else {
		frame.put(keyServerProtocol, protocols[req.Minor&1])
	}
	addr, port := conn.RemoteAddr, conn.RemotePort
	if e.realIP != nil && conn.Trusted {
		addr, port = e.realIP.client(req.Headers, addr, port)
	}
	frame.put(keyRemoteAddr, addr)
	if len(port) > 0 {
		frame.put(keyRemotePort, port)
	}
	e.Identify(req, conn)
	// Not the Host field itself: an absolute-form target replaces it (RFC 9112 3.2.2).
	if len(req.Host) > 0 {
		frame.put(keyHTTPHost, req.Host)
	}
	script, err := e.fields.sort(req.Headers, conn.Trusted, &e.forwarders)
	if err != nil {
		return err
	}
	e.fields.write(frame, req.Headers)
	if err := e.mount.write(frame, req.Path, script); err != nil {
		return err
	}
	secure := conn.TLS
	if conn.Trusted && len(e.schemes) > 0 {
		forwarded, err := e.forwardedScheme(req.Headers)
		if err != nil {
			return err
		}
		secure = secure || forwarded
	}
	if secure {
		frame.put(keyURLScheme, https)
	}
	if conn.ListenerUnix && len(req.Host) > 0 {
		writeServer(frame, req.Host, secure)
	}
	if conn.extra.Entries > 0 {
		frame.join(&conn.extra)
	}
	return nil
}

// Client is what Encode makes REMOTE_ADDR, for a request that gets no environ. It is valid until the next use of e.
func (e *Encoder) Client(req *http1.Request, conn *Conn) []byte {
	if e.realIP == nil || !conn.Trusted {
		return conn.RemoteAddr
	}
	addr, _ := e.realIP.client(req.Headers, conn.RemoteAddr, conn.RemotePort)
	return addr
}

// forwardedScheme says whether a trusted peer's secure_scheme_headers mean https. Their values must be exactly
// those that are set; two that contradict each other are refused, as gunicorn does.
func (e *Encoder) forwardedScheme(headers []http1.Header) (secure bool, err error) {
	found := false
	for i := range headers {
		h := &headers[i]
		for j := range e.schemes {
			rule := &e.schemes[j]
			if len(rule.name) != len(h.Name) || !equalFold(h.Name, rule.name) {
				continue
			}
			means := string(h.Value) == rule.https
			if found && means != secure {
				return false, errScheme
			}
			found, secure = true, means
		}
	}
	return secure, nil
}

// writeServer writes SERVER_NAME and SERVER_PORT from a valid Host. An IPv6 name keeps its brackets (RFC 3875
// 4.1.14).
func writeServer(frame *Frame, host []byte, secure bool) {
	name, port := host, httpPort
	if secure {
		port = httpsPort
	}
	if colon := bytes.LastIndexByte(host, ':'); colon > bytes.LastIndexByte(host, ']') {
		name = host[:colon]
		if colon+1 < len(host) {
			port = host[colon+1:]
		}
	}
	frame.put(keyServerName, name)
	frame.put(keyServerPort, port)
}
