package http1

// Leniency is what a Parser lets pass that it would refuse; gunicorn has a setting for each. The zero value lets
// nothing pass.
type Leniency struct {
	// Folding is permit_obsolete_folding: a header may go on in lines that begin with whitespace, which become one
	// space (RFC 9112 5.2). Host, Content-Length and Transfer-Encoding may not: who does not unfold them sees another
	// message.
	Folding bool
	// HeaderSpaces is strip_header_spaces: whitespace between a header name and its colon is removed (RFC 9112 5.1).
	HeaderSpaces bool
	// Method is permit_unconventional_http_method: the method may be any token (RFC 9110 9.1).
	Method bool
	// Casefold is casefold_http_method: lower-case letters of the method become upper-case ones.
	Casefold bool
	// Version is permit_unconventional_http_version: any HTTP/d.d; what is below 1.1 is served as 1.0, all else as 1.1.
	Version bool
}

// Permit makes p lenient and returns it. Before the first Parse only.
func (p *Parser) Permit(l Leniency) *Parser {
	p.lenient = l
	return p
}

// methodClass is what the bytes of a method may be.
func (l *Leniency) methodClass() uint8 {
	if l.Method || l.Casefold {
		return classToken
	}
	return classMethod
}

// conventional says whether a method that was folded to upper case, if it is to be, has the usual form.
func conventional(method []byte) bool {
	return len(method) >= minMethod && len(method) <= maxMethod && all(method, classMethod)
}

// fold returns method in upper case, in p's own memory if anything had to change.
func (p *Parser) fold(method []byte) []byte {
	p.scratch = append(p.scratch[:0], method...)
	for i, c := range p.scratch {
		if c >= 'a' && c <= 'z' {
			p.scratch[i] = c &^ 0x20
		}
	}
	return p.scratch
}

// unfold joins the lines of a header value with one space each. A line of whitespace alone adds nothing.
func unfold(value []byte) []byte {
	joined := make([]byte, 0, len(value))
	for start := 0; start < len(value); {
		end := start
		for end < len(value) && value[end] != '\r' {
			end++
		}
		if part := trimSpace(value[start:end]); len(part) > 0 {
			if len(joined) > 0 {
				joined = append(joined, ' ')
			}
			joined = append(joined, part...)
		}
		start = end + len("\r\n")
	}
	return joined
}

// framesMessage says whether a header decides where the message ends, or whom it is for.
func framesMessage(name []byte) bool {
	return equalFold(name, "host") || equalFold(name, "content-length") || equalFold(name, "transfer-encoding")
}

// plain is the head as it was understood: what was let pass is put right. The second opinion knows no leniency.
func (p *Parser) plain(req *Request) []byte {
	head := append([]byte(nil), req.Method...)
	head = append(append(append(head, ' '), req.Target...), " HTTP/1."...)
	head = append(head, byte('0'+req.Minor), '\r', '\n')
	for i := range req.Headers {
		head = append(append(head, req.Headers[i].Name...), ": "...)
		head = append(append(head, req.Headers[i].Value...), '\r', '\n')
	}
	return append(head, '\r', '\n')
}
