package corpus

import "strings"

// ChunkedBodies are bodies with what follows them, and what they decode to. status -1 = cut short, 0 = correct.
var ChunkedBodies = []struct {
	Name       string
	Wire, Body string
	Rest       int // bytes behind the body
	Status     int
}{
	{"empty", "0\r\n\r\n", "", 0, 0},
	{"one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello", 0, 0},
	{"two chunks and the next request", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET /", "hello world", 5, 0},
	{"hexadecimal, both cases", "A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n", "01234567890123456789a", 0, 0},
	{"leading zeros", "00005\r\nhello\r\n000\r\n\r\n", "hello", 0, 0},
	{"CRLF as data", "4\r\n\r\n0\r\r\n0\r\n\r\n", "\r\n0\r", 0, 0},
	{"extension", "5;a\r\nhello\r\n0;b=c\r\n\r\n", "hello", 0, 0},
	{"extensions with bad whitespace", "5 \t; a = b ;c;d = \"e\" \t;f\r\nhello\r\n0\r\n\r\n", "hello", 0, 0},
	{"quoted extension", "5;a=\"b;\\\"\xe9\t c\"\r\nhello\r\n0\r\n\r\n", "hello", 0, 0},
	{"trailer", "0\r\nX-Remote-User: root\r\nX-Empty:\r\n\r\nG", "", 1, 0},
	{"cut in size", "5", "", 0, -1},
	{"cut in data", "5\r\nhel", "hel", 0, -1},
	{"cut after data", "5\r\nhello", "hello", 0, -1},
	{"cut before last chunk", "5\r\nhello\r\n", "hello", 0, -1},
	{"cut before final CRLF", "5\r\nhello\r\n0\r\n", "hello", 0, -1},
	{"cut in final CRLF", "5\r\nhello\r\n0\r\n\r", "hello", 0, -1},
	{"cut in trailer", "0\r\nX-A: b\r\n", "", 0, -1},
	{"size with LF", "5\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"size with CR alone", "5\rhello", "", 0, 400},
	{"size 0x5", "0x5\r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"size -5", "-5\r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"size +5", "+5\r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"size 5_0", "5_0\r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"no size", "\r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"space before size", " 5\r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"space after size", "5 \r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"size overflow", "8000000000000000\r\n", "", 0, 400},
	{"size that wraps", "10000000000000005\r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"data too long", "5\r\nhello!\r\n0\r\n\r\n", "hello", 0, 400},
	{"data with LF", "5\r\nhello\n0\r\n\r\n", "hello", 0, 400},
	{"data with CR alone", "5\r\nhello\r0\r\n\r\n", "hello", 0, 400},
	{"extension with LF", "5;a\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"extension with CR alone", "5;a\rb\r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"extension with NUL", "5;a=\"\x00\"\r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"extension without name", "5;\r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"extension without value", "5;a=\r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"extension with LF in quotes", "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"extension with escaped CR", "5;a=\"\\\r\n\"\r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"text after quotes", "5;a=\"b\"c\r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"two names", "5;a b\r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"space before the line's end", "5;a=b \r\nhello\r\n0\r\n\r\n", "", 0, 400},
	{"last chunk with LF", "0\n\r\n", "", 0, 400},
	{"final LF", "0\r\n\n", "", 0, 400},
	{"trailer without colon", "0\r\nX-A\r\n\r\n", "", 0, 400},
	{"trailer with space before colon", "0\r\nX-A : b\r\n\r\n", "", 0, 400},
	{"folded trailer", "0\r\nX-A: b\r\n c\r\n\r\n", "", 0, 400},
	{"trailer with LF", "0\r\nX-A: b\nX-B: c\r\n\r\n", "", 0, 400},
	{"trailer with NUL", "0\r\nX-A: \x00\r\n\r\n", "", 0, 400},
	{"long size line", strings.Repeat("0", 4097), "", 0, 400},
	{"long extension", "5;" + strings.Repeat("a", 4096), "", 0, 400},
	{"many extensions", strings.Repeat("1;"+strings.Repeat("a", 999)+"\r\nx\r\n", 17), strings.Repeat("x", 16), 0, 400},
	{"long trailer section", "0\r\n" + strings.Repeat("X-A: b\r\n", 2049), "", 0, 431},
}
