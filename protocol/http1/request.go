package http1

// Header is one header line. Both slices point into the buffer that was parsed; the name has the client's case, the
// value has the bytes of the wire without the optional whitespace around it (RFC 9110 5.5).
type Header struct {
	Name, Value []byte
}

// Request is a parsed head. All slices point into the buffer given to Parse and are valid as long as that buffer
// is. A Request is reused: each Parse overwrites every field.
type Request struct {
	Method []byte
	// Target is the request target as received, with query and fragment.
	Target []byte
	// Path is the path of Target, still percent-encoded, without query and fragment. It starts with "/", or is "*"
	// (only with OPTIONS). An absolute-form target is reduced to its path.
	Path []byte
	// Query is what follows the first "?" of Target, without the fragment; empty if there is none.
	Query []byte
	// Host is the host that the client addresses: the Host field, or the authority of an absolute-form target,
	// which replaces the field (RFC 9112 3.2.2). Empty only in HTTP/1.0.
	Host []byte
	// Minor is the minor version: 0 or 1.
	Minor   int
	Headers []Header
	// ContentLength is the declared body length in bytes; -1 = no Content-Length field.
	ContentLength int64
	// Chunked says that the body has the chunked transfer coding.
	Chunked bool
	// KeepAlive says that the client wants to use the connection again (RFC 9112 9.3).
	KeepAlive bool
	// Expect100 says that the client waits for "100 Continue" before it sends a body. False when no body is
	// announced.
	Expect100 bool
	// HeadLen is the number of bytes of the head, with its last empty line: the body starts there.
	HeadLen int
}
