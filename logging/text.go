package logging

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// errorTime is the datefmt of gunicorn's error log.
const errorTime = "2006-01-02 15:04:05 -0700"

// appendText appends gunicorn's line: [2026-11-21 01:16:45 +0000] [4711] [INFO] message.
func appendText(dst []byte, m *message) []byte {
	dst = append(dst, '[')
	dst = m.time.AppendFormat(dst, errorTime)
	dst = append(dst, "] ["...)
	dst = strconv.AppendInt(dst, int64(m.pid), 10)
	dst = append(dst, "] ["...)
	dst = append(dst, label(m.severity)...)
	dst = append(dst, "] "...)
	dst = appendMessage(dst, strings.TrimRight(m.text, "\n"))
	return append(dst, '\n')
}

// appendMessage keeps the lines of a message and disarms what would command the terminal of who reads the log: the
// C0 controls, DEL and the C1 controls, of which U+009B begins an escape sequence just as ESC [ does.
func appendMessage(dst []byte, message string) []byte {
	for _, r := range message {
		switch {
		case r == '\n', r == '\t':
			dst = append(dst, byte(r))
		case r < ' ', r >= 0x7f && r < 0xa0:
			dst = appendHex(dst, byte(r))
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
