package http1

import "bytes"

const (
	minMethod = 3
	maxMethod = 20
)

var (
	errMethod  = refusal(400, "method is not 3 to 20 of A-Z 0-9 $ - _ .")
	errLine    = refusal(400, "request line is not method, target and version with one space between")
	errVersion = refusal(505, "protocol version is neither HTTP/1.1 nor HTTP/1.0")
)

// requestLine parses method SP request-target SP HTTP-version (RFC 9112 3), which starts at pos, and returns the
// position of the next line.
func (p *Parser) requestLine(buf []byte, pos int, req *Request) (next int, err error) {
	method := buf[pos:]
	n := 0
	most, members := maxMethod, p.lenient.methodClass()
	if p.lenient.Method {
		most = p.bounds.line
	}
	for n < len(method) && n <= most && class[method[n]]&members != 0 {
		n++
	}
	// Refused before the line is complete: what talks TLS or another protocol to this port may never send one.
	if n > most || n < len(method) && (method[n] != ' ' || !p.acceptMethod(method[:n], req)) {
		if p.lenient.Method && n > most {
			return 0, errLineTooLong
		}
		return 0, errMethod
	}
	end, err := line(buf, pos, p.bounds.line, errLineTooLong)
	if err != nil {
		return 0, err
	}
	rest := buf[pos:end]
	split := len(rest) - len("HTTP/1.1") - 1
	if split <= n+1 || rest[n] != ' ' || rest[split] != ' ' {
		return 0, errLine
	}
	req.Target = rest[n+1 : split]
	if req.Minor, err = version(rest[split+1:]); err == errVersion && p.lenient.Version {
		req.Minor, p.mended = versionServed(rest[split+1:]), true
	} else if err != nil {
		return 0, err
	}
	if err := splitTarget(req); err != nil {
		return 0, err
	}
	return end + 2, nil
}

// acceptMethod sets req.Method if the method is allowed.
func (p *Parser) acceptMethod(method []byte, req *Request) bool {
	if p.lenient.Casefold {
		if folded := p.fold(method); !bytes.Equal(folded, method) {
			method, p.mended = folded, true
		}
	}
	req.Method = method
	if p.lenient.Method {
		return len(method) > 0
	}
	return len(method) >= minMethod && (!p.lenient.Casefold || conventional(method))
}

// versionServed is the minor version that an unconventional HTTP/d.d is served as.
func versionServed(b []byte) (minor int) {
	if b[5] == '0' || b[5] == '1' && b[7] == '0' {
		return 0
	}
	return 1
}

// version parses HTTP-version (RFC 9112 2.3), which is case-sensitive and has one digit on each side of the dot.
//
// HTTP/1.2 to HTTP/1.9 are refused like another major version. RFC 9110 6.2 would have them processed as 1.1; but
// no such version was ever defined, and parsers on the way (fasthttp is one) take them for 1.0, so that two hops
// would see two framings of one message.
func version(b []byte) (minor int, err error) {
	switch string(b) {
	case "HTTP/1.1":
		return 1, nil
	case "HTTP/1.0":
		return 0, nil
	}
	if bytes.HasPrefix(b, []byte("HTTP/")) && b[5]-'0' <= 9 && b[6] == '.' && b[7]-'0' <= 9 {
		return 0, errVersion
	}
	return 0, errLine
}
