package http1

import "bytes"

var (
	errTarget    = refusal(400, "request target is not printable ASCII in one of the four forms")
	errAsterisk  = refusal(400, "request target * with a method other than OPTIONS")
	errAuthority = refusal(400, "request target is not the host:port that CONNECT needs")
	errConnect   = refusal(501, "CONNECT is for proxies")
	errAbsolute  = refusal(400, "absolute request target without a valid http or https authority")

	root     = []byte("/")
	asterisk = []byte("*")
)

// splitTarget fills Path, Query and, for the absolute form, Host from Target (RFC 9112 3.2).
func splitTarget(req *Request) error {
	target := req.Target
	req.Host, req.Query = nil, nil
	if !validTarget(target) {
		return errTarget
	}
	if string(req.Method) == "CONNECT" {
		// authority-form, RFC 9112 3.2.3. 501: RFC 9110 9.1, "not implemented".
		port := target[bytes.LastIndexByte(target, ':')+1:]
		if len(port) == 0 || !validPort(port) || !validHost(target) || len(port) == len(target) {
			return errAuthority
		}
		return errConnect
	}
	if target[0] == '/' { // origin-form, RFC 9112 3.2.1
		req.Path, req.Query = splitPath(target)
		return nil
	}
	if string(target) == "*" { // asterisk-form, RFC 9112 3.2.4
		if string(req.Method) != "OPTIONS" {
			return errAsterisk
		}
		req.Path = target
		return nil
	}
	return splitAbsolute(req)
}

// splitAbsolute parses absolute-form (RFC 9112 3.2.2). Userinfo is refused with the rest of a wrong host (RFC 9110
// 4.2.4).
func splitAbsolute(req *Request) error {
	colon := bytes.IndexByte(req.Target, ':')
	if colon < 0 {
		return errTarget
	}
	scheme, rest := req.Target[:colon], req.Target[colon+1:]
	if !equalFold(scheme, "http") && !equalFold(scheme, "https") || !bytes.HasPrefix(rest, []byte("//")) {
		return errAbsolute
	}
	rest = rest[2:]
	end := bytes.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	if !validHost(rest[:end]) {
		return errAbsolute
	}
	req.Host = rest[:end]
	req.Path, req.Query = splitPath(rest[end:])
	if len(req.Path) == 0 {
		req.Path = root
		// "http://host" without a path is how OPTIONS * looks to a proxy (RFC 9112 3.2.4).
		if string(req.Method) == "OPTIONS" && end == len(rest) {
			req.Path = asterisk
		}
	}
	return nil
}

// splitPath cuts at the first "?" and drops a fragment, which no client should send (RFC 9110 4.2.5 keeps it
// local).
func splitPath(target []byte) (path, query []byte) {
	if n := bytes.IndexByte(target, '#'); n >= 0 {
		target = target[:n]
	}
	if n := bytes.IndexByte(target, '?'); n >= 0 {
		return target[:n], target[n+1:]
	}
	return target, nil
}
