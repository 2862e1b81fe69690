package http1

import "bytes"

// Parser reads request heads. It is meant to be kept and reused by one thread: it allocates nothing per request
// (but for an IPv6 literal in Host, and heads longer than keptOpinion), and is not safe for concurrent use. It
// keeps nothing of a head between two calls, so one Parser serves any number of connections.
type Parser struct {
	bounds  bounds
	framing framing
	opinion *opinion
	lenient Leniency
	mended  bool   // something of this head was let pass
	scratch []byte // a method in upper case
}

// NewParser returns a Parser that applies limits.
func NewParser(limits Limits) *Parser {
	return &Parser{bounds: newBounds(limits), opinion: newOpinion(4096)}
}

// Parse reads the head at the beginning of buf into req and returns the head's length, which is also req.HeadLen.
// The error is ErrIncomplete when more bytes are needed, else a *Refusal; req is of no use then.
func (p *Parser) Parse(buf []byte, req *Request) (n int, err error) {
	return p.ParseMore(buf, 0, req)
}

// ParseMore is Parse for a head whose first seen bytes were found incomplete by an earlier call (Parse or
// ParseMore) with the same limits. It looks at the new bytes alone until they can decide something, so that a head
// which arrives byte by byte costs no more than a linear amount of work.
func (p *Parser) ParseMore(buf []byte, seen int, req *Request) (n int, err error) {
	if seen > 0 && !p.bounds.decides(buf, seen) {
		return 0, ErrIncomplete
	}
	start := 0
	p.mended = false
	// "A server that is expecting to receive and parse a request-line SHOULD ignore at least one empty line" (RFC
	// 9112 2.2): one, not more.
	if len(buf) > 0 && buf[0] == '\r' {
		if len(buf) == 1 {
			return 0, ErrIncomplete
		}
		if buf[1] != '\n' {
			return 0, errBareCR
		}
		start = 2
	}
	pos, err := p.requestLine(buf, start, req)
	if err != nil {
		return 0, err
	}
	pos, err = p.fields(buf, pos, req)
	if err != nil {
		return 0, err
	}
	if err := p.framing.apply(req); err != nil {
		return 0, err
	}
	if req.ContentLength > p.bounds.body {
		return 0, errBodyTooLarge
	}
	head := buf[start:pos]
	if p.mended {
		head = p.plain(req)
	}
	if err := p.secondOpinion(head, req); err != nil {
		return 0, err
	}
	req.HeadLen = pos
	return pos, nil
}

// line returns the end of the line that starts at pos: the index of its CR. limit counts the CRLF.
//
// A line that is complete and too long, and one that is so long already that it will be, are refused alike: what a
// client gets must not depend on how its bytes were cut into packets.
func line(buf []byte, pos, limit int, tooLong error) (end int, err error) {
	n := bytes.IndexByte(buf[pos:], '\n')
	if n < 0 {
		if len(buf)-pos >= limit {
			return 0, tooLong
		}
		return 0, ErrIncomplete
	}
	if n+1 > limit {
		return 0, tooLong
	}
	if n == 0 || buf[pos+n-1] != '\r' {
		return 0, errBareLF // RFC 9112 2.2 lets a recipient accept it; request smuggling is why not
	}
	return pos + n - 1, nil
}
