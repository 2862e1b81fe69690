package http1

import "bytes"

// decides says whether a head of which seen bytes are known to be incomplete can now be complete or be refused.
// Only the new bytes are searched, and at most a line's limit of old ones.
func (b *bounds) decides(buf []byte, seen int) bool {
	if seen > len(buf) || len(buf) >= b.head || seen <= maxMethod+len("\r\n ") {
		return true
	}
	for at := seen; ; at++ {
		n := bytes.IndexByte(buf[at:], '\n')
		if n < 0 {
			return b.lineTooLong(buf)
		}
		at += n
		if buf[at-1] != '\r' || buf[at-2] == '\n' {
			return true // a bare LF, or the empty line at the end
		}
	}
}

// lineTooLong says whether buf's last line, which has no end yet, is longer than allowed.
func (b *bounds) lineTooLong(buf []byte) bool {
	rest := bytes.TrimPrefix(buf, []byte("\r\n"))
	if len(rest) >= b.line && bytes.IndexByte(rest[:b.line], '\n') < 0 {
		return true
	}
	return len(buf) >= b.field && bytes.IndexByte(buf[len(buf)-b.field:], '\n') < 0
}
