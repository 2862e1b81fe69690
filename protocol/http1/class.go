package http1

import "encoding/binary"

// The classes a byte can belong to.
const (
	classToken  = 1 << iota // tchar, RFC 9110 5.6.2
	classMethod             // gunicorn's conventional methods: no lower case, no punctuation but $ - _ .
	classTarget             // printable ASCII without space
	classValue              // field-vchar, obs-text, SP and HTAB, RFC 9110 5.5
	classHost               // reg-name, RFC 3986 3.2.2; percent-encoding is checked apart
	classHex                // HEXDIG
	classQuoted             // qdtext, RFC 9110 5.6.4
)

var class = makeClasses()

func makeClasses() (table [256]uint8) {
	mark := func(bits uint8, members string) {
		for i := range len(members) {
			table[members[i]] |= bits
		}
	}
	for c := range 256 {
		if c > ' ' && c < 0x7f {
			table[c] |= classTarget
		}
		if c == '\t' || c >= ' ' && c != 0x7f {
			table[c] |= classValue
			if c != '"' && c != '\\' {
				table[c] |= classQuoted
			}
		}
	}
	mark(classToken|classMethod|classHost|classHex, "0123456789ABCDEF")
	mark(classToken|classMethod|classHost, "GHIJKLMNOPQRSTUVWXYZ$-_.")
	mark(classToken|classHost|classHex, "abcdef")
	mark(classToken|classHost, "ghijklmnopqrstuvwxyz!&'*+~")
	mark(classToken, "#%^`|")
	// The grammar allows a comma too. It is left out: "Host: a, b" without the space is what a hop makes of two
	// Host lines.
	mark(classHost, "();=")
	return table
}

// all says whether every byte of b is in one of the classes.
func all(b []byte, classes uint8) bool {
	for _, c := range b {
		if class[c]&classes == 0 {
			return false
		}
	}
	return true
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// below says whether word has a byte smaller than limit (at most 0x80).
func below(word uint64, limit uint8) bool {
	return (word-ones*uint64(limit))&^word&highs != 0
}

// hasDelete says whether word has a byte 0x7f.
func hasDelete(word uint64) bool { return below(word^ones*0x7f, 1) }

// validValue says whether b may be a field value. It reads eight bytes at a time, since values are most of a head.
func validValue(b []byte) bool {
	for len(b) >= 8 {
		word := binary.LittleEndian.Uint64(b)
		if below(word, ' ') || hasDelete(word) {
			return all(b, classValue) // a tab is allowed, so look closer
		}
		b = b[8:]
	}
	return all(b, classValue)
}

// validTarget says whether b is printable ASCII without spaces.
func validTarget(b []byte) bool {
	for len(b) >= 8 {
		word := binary.LittleEndian.Uint64(b)
		if word&highs != 0 || below(word, ' '+1) || hasDelete(word) {
			return false
		}
		b = b[8:]
	}
	return all(b, classTarget)
}

// equalFold compares token with lower, which has lower-case letters, digits and "-" only. Setting bit 5 maps no
// other token character onto one of those.
func equalFold(token []byte, lower string) bool {
	if len(token) != len(lower) {
		return false
	}
	for i, c := range token {
		if c|0x20 != lower[i] {
			return false
		}
	}
	return true
}

// trimSpace removes optional whitespace: SP and HTAB (RFC 9110 5.6.3).
func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
