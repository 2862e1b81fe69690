package logging

// What escaping does with a byte.
const (
	plain      = iota
	backslash  // written with a backslash before it
	hex        // written as \xHH
	blankOrHex // a space: plain between quotes, \x20 outside of them
)

// escapes says for each byte what becomes of it, so that a value that a client chose can neither end the quoted field
// it stands in, nor begin a line, nor be taken for an escape. gunicorn escapes the quote alone.
var escapes = func() (table [256]uint8) {
	for c := range table {
		if c < ' ' || c >= 0x7f {
			table[c] = hex
		}
	}
	table[' '] = blankOrHex
	table['"'], table['\\'] = backslash, backslash
	return table
}()

// appendEscaped appends a value that a client had a hand in. A bare value stands outside of double quotes: there a
// space would end the field, and what follows it could pose as the next.
func appendEscaped(dst, value []byte, bare bool) []byte {
	done := 0
	for i, c := range value {
		kind := escapes[c]
		if kind == plain || kind == blankOrHex && !bare {
			continue
		}
		dst = append(dst, value[done:i]...)
		done = i + 1
		if kind == backslash {
			dst = append(dst, '\\', c)
		} else {
			dst = appendHex(dst, c)
		}
	}
	return append(dst, value[done:]...)
}

const hexDigits = "0123456789abcdef"

func appendHex(dst []byte, c byte) []byte {
	return append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&0xf])
}

// cutEscaped returns the length of the longest prefix of escaped text that has at most limit bytes and ends between
// two characters. Half of an escape would be a backslash that takes away the meaning of the quote behind the value.
func cutEscaped(text []byte, limit int) int {
	end := 0
	for end < len(text) {
		size := 1
		if text[end] == '\\' {
			size = 2
			if text[end+1] == 'x' {
				size = 4
			}
		}
		if end+size > limit {
			break
		}
		end += size
	}
	return end
}
