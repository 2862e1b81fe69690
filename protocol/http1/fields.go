package http1

var (
	errFold        = refusal(400, "header line starts with whitespace (obsolete line folding)")
	errNoName      = refusal(400, "header line without a name")
	errSpaceColon  = refusal(400, "whitespace between header name and colon")
	errName        = refusal(400, "header name is not a token followed by a colon")
	errValue       = refusal(400, "control character in a header value")
	errHostTwice   = refusal(400, "more than one Host")
	errHost        = refusal(400, "Host is not host or host:port")
	errTypeTwice   = refusal(400, "more than one Content-Type")
	errAuthTwice   = refusal(400, "more than one Authorization")
	errLengthTwice = refusal(400, "more than one Content-Length")
)

// fields parses the header section that starts at pos up to its empty line and returns the position behind that.
func (p *Parser) fields(buf []byte, pos int, req *Request) (next int, err error) {
	req.Headers = req.Headers[:0]
	p.framing = framing{length: -1, known: p.framing.known}
	for {
		if pos < len(buf) && buf[pos] == '\r' {
			if pos+1 == len(buf) {
				return 0, ErrIncomplete
			}
			if buf[pos+1] != '\n' {
				return 0, errBareCR
			}
			return pos + 2, nil
		}
		limit, tooLong := p.bounds.field, errFieldTooLong
		if room := p.bounds.head - pos; room < limit {
			limit, tooLong = room, errHeadTooLong
		}
		end, err := line(buf, pos, limit, tooLong)
		if err != nil {
			return 0, err
		}
		if len(req.Headers) == p.bounds.fields {
			return 0, errFields
		}
		folded := false
		if p.lenient.Folding {
			if end, folded, err = p.foldedEnd(buf, pos, end, limit, tooLong); err != nil {
				return 0, err
			}
		}
		header, err := p.field(buf[pos:end], folded)
		if err != nil {
			return 0, err
		}
		if err := p.framing.note(header, req.Minor); err != nil {
			return 0, err
		}
		req.Headers = append(req.Headers, header)
		pos = end + 2
	}
}

// foldedEnd returns the end of the header that begins at pos and whose first line ends at end: the lines that begin
// with whitespace belong to it. All of them count for the limit.
func (p *Parser) foldedEnd(buf []byte, pos, end, limit int, tooLong error) (int, bool, error) {
	folded := false
	for {
		next := end + len("\r\n")
		if next == len(buf) {
			return 0, false, ErrIncomplete
		}
		if buf[next] != ' ' && buf[next] != '\t' {
			return end, folded, nil
		}
		folded = true
		var err error
		if end, err = line(buf, next, limit-(next-pos), tooLong); err != nil {
			return 0, false, err
		}
	}
}

// field parses field-name ":" OWS field-value OWS (RFC 9112 5).
func (p *Parser) field(b []byte, folded bool) (Header, error) {
	n := 0
	for n < len(b) && class[b[n]]&classToken != 0 {
		n++
	}
	colon := n
	if p.lenient.HeaderSpaces && n > 0 {
		for colon < len(b) && (b[colon] == ' ' || b[colon] == '\t') {
			colon++
		}
		p.mended = p.mended || colon > n
	}
	if n == 0 || colon == len(b) || b[colon] != ':' {
		return Header{}, nameError(b, n)
	}
	value := trimSpace(b[colon+1:])
	if folded {
		if framesMessage(b[:n]) {
			return Header{}, errFold
		}
		value, p.mended = unfold(value), true
	}
	if !validValue(value) {
		return Header{}, errValue
	}
	return Header{Name: b[:n], Value: value}, nil
}

// nameError names the rule that the line breaks at its byte n.
func nameError(b []byte, n int) error {
	switch {
	case n == len(b):
		return errName
	case n == 0 && (b[0] == ' ' || b[0] == '\t'):
		return errFold // RFC 9112 5.2
	case n == 0 && b[0] == ':':
		return errNoName
	case b[n] == ' ' || b[n] == '\t':
		return errSpaceColon // RFC 9112 5.1
	}
	return errName
}
