package logging

import (
	"fmt"
	"strings"
)

// maxWidth bounds width and precision: a larger one is a slip of the pen that would fill the disk.
const maxWidth = 1000

// padding is what Python's printf format may say between the parenthesis and the conversion: flags, width, precision.
// https://docs.python.org/3/library/stdtypes.html#printf-style-string-formatting
type padding struct {
	any   bool
	left  bool // "-": the value first, then spaces
	zeros bool // "0": zeros before a number
	sign  byte // "+" or " " before a number
	width int
	most  int // precision: at most so many bytes of the text; negative = all
}

// parse reads flags, width, precision and conversion, and returns how many bytes it read, also with an error.
func (p *padding) parse(text string, number bool) (int, error) {
	i := p.parseFlags(text)
	var err error
	if p.width, i, err = parseWidth(text, i, "width"); err != nil {
		return i, err
	}
	p.most = -1
	if strings.HasPrefix(text[i:], ".") {
		if p.most, i, err = parseWidth(text, i+1, "precision"); err != nil {
			return i, err
		}
	}
	if i < len(text) && strings.IndexByte("hlL", text[i]) >= 0 { // Python reads C's length modifiers and ignores them
		i++
	}
	if i == len(text) {
		return i, fmt.Errorf("the conversion is missing: end it in s%s", orD(number))
	}
	switch c := text[i]; {
	case c == 's':
		p.zeros, p.sign = false, 0 // flags for numbers mean nothing to a string
	case !number || c != 'd' && c != 'i' && c != 'u':
		return i, fmt.Errorf("the conversion %q does not fit: end it in s%s", c, orD(number))
	case p.most >= 0:
		return i, fmt.Errorf("a number takes no precision: pad it with %%(atom)0%dd", p.most)
	}
	p.any = p.left || p.zeros || p.sign != 0 || p.width > 0 || p.most >= 0
	return i + 1, nil
}

func orD(number bool) string {
	if number {
		return " or d"
	}
	return ""
}

// parseFlags reads flags and returns how many. "#" means nothing to s and d.
func (p *padding) parseFlags(text string) int {
	for i := range len(text) {
		switch text[i] {
		case '-':
			p.left = true
		case '0':
			p.zeros = true
		case '+':
			p.sign = '+'
		case ' ':
			if p.sign == 0 {
				p.sign = ' '
			}
		case '#':
		default:
			return i
		}
	}
	return len(text)
}

func parseWidth(text string, i int, what string) (value, end int, err error) {
	for ; i < len(text) && '0' <= text[i] && text[i] <= '9'; i++ {
		if value = value*10 + int(text[i]-'0'); value > maxWidth {
			return 0, i, fmt.Errorf("the %s is too large: %d is the most", what, maxWidth)
		}
	}
	if strings.HasPrefix(text[i:], "*") {
		return 0, i, fmt.Errorf("the %s is an asterisk: write a number", what)
	}
	return value, i, nil
}

// apply pads or cuts the value that begins at start, the last thing in dst.
func (p *padding) apply(dst []byte, start int) []byte {
	if p.most >= 0 {
		dst = dst[:start+cutEscaped(dst[start:], p.most)]
	}
	// A number that is not known is a dash, which takes neither sign nor zeros.
	digits := len(dst) > start && '0' <= dst[start] && dst[start] <= '9'
	if digits && p.sign != 0 {
		dst = insert(dst, start, 1, p.sign)
	}
	missing := p.width - (len(dst) - start)
	switch {
	case missing <= 0:
		return dst
	case p.left:
		return insert(dst, len(dst), missing, ' ')
	case digits && p.zeros && p.sign != 0:
		return insert(dst, start+1, missing, '0')
	case digits && p.zeros:
		return insert(dst, start, missing, '0')
	}
	return insert(dst, start, missing, ' ')
}

// insert makes room for n times c at a place in dst.
func insert(dst []byte, at, n int, c byte) []byte {
	for range n {
		dst = append(dst, c)
	}
	copy(dst[at+n:], dst[at:len(dst)-n])
	for i := range n {
		dst[at+i] = c
	}
	return dst
}
