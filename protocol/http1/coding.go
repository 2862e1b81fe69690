package http1

// coding is what all Transfer-Encoding lines say together.
type coding struct {
	present bool // there is such a line
	wrong   bool // identity, a repeated or parameterised chunked, something after it, an empty member
	known   bool // a coding of RFC 9112 7.2, which this server does not decode
	unknown bool // any other
	chunked int  // how many times
}

// note reads one line's list of codings. Names are case-insensitive (RFC 9112 7).
func (c *coding) note(list []byte) {
	c.present = true
	for more := true; more; {
		var name []byte
		name, list, more = member(list)
		if c.chunked > 0 {
			c.wrong = true // chunked must come once and last, RFC 9112 6.1
		}
		switch {
		case equalFold(name, "chunked"):
			c.chunked++
		case equalFold(name, "gzip"), equalFold(name, "x-gzip"), equalFold(name, "deflate"),
			equalFold(name, "compress"), equalFold(name, "x-compress"):
			c.known = true
		// identity was removed from HTTP; servers that ignore it can be made to disagree about the body.
		case len(name) == 0, equalFold(name, "identity"), !all(name, classToken):
			c.wrong = true
		default:
			c.unknown = true
		}
	}
}

// check applies RFC 9112 6.1 and 6.3 and returns the refusal, if any.
func (c *coding) check(minor int, hasLength bool) error {
	switch {
	case !c.present:
		return nil
	case minor == 0:
		return errCodingOld
	case hasLength:
		return errCodingLength
	case c.wrong:
		return errCoding
	case c.unknown:
		return errCodingOther
	case c.chunked == 0:
		return errCoding
	case c.known:
		return errCodingOther
	}
	return nil
}
