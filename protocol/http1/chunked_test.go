package http1

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// chunkedBodies are bodies with what follows them, and what they decode to. status -1 = cut short, 0 = correct.
var chunkedBodies = []struct {
	name       string
	wire, body string
	rest       int // bytes behind the body
	status     int
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

// result is what a caller sees of a decoded body.
type result struct {
	body   string
	rest   int
	status int
}

func status(t testing.TB, err error) int {
	t.Helper()
	var refused *Refusal
	switch {
	case err == nil, err == io.EOF: //nolint:errorlint // io.Reader promises it bare
		return 0
	case errors.As(err, &refused):
		return refused.Status
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, ErrIncomplete):
		return -1
	}
	t.Fatalf("unexpected error %v", err)
	return 0
}

// readChunked decodes wire with a ChunkedReader that reads from source and is read with a buffer of size bytes.
func readChunked(t testing.TB, source io.Reader, size int) result {
	t.Helper()
	buffered := bufio.NewReaderSize(source, 16)
	reader, body, p := NewChunkedReader(buffered, 0), []byte{}, make([]byte, size)
	for {
		n, err := reader.Read(p)
		body = append(body, p[:n]...)
		if err == nil {
			continue
		}
		if _, again := reader.Read(p); again != err { //nolint:errorlint // the very same
			t.Errorf("%v, then %v: not permanent", err, again)
		}
		rest := 0
		if err == io.EOF { //nolint:errorlint // io.Reader promises it bare
			left, _ := io.ReadAll(buffered)
			rest = len(left)
		}
		return result{string(body), rest, status(t, err)}
	}
}

// decodePieces decodes wire with a ChunkedDecoder, piece by piece.
func decodePieces(t testing.TB, wire string, next func(left int) int) result {
	t.Helper()
	var decoder ChunkedDecoder
	var body []byte
	for at := 0; at < len(wire); {
		piece := wire[at : at+next(len(wire)-at)]
		out, n, done, err := decoder.Decode(body, []byte(piece))
		body = out
		at += n
		if done || err != nil {
			left := 0
			if done {
				left = len(wire) - at
			}
			return result{string(body), left, status(t, err)}
		}
		if n != len(piece) {
			t.Fatalf("%d of %d bytes used", n, len(piece))
		}
	}
	return result{string(body), 0, -1}
}

func TestChunked(t *testing.T) {
	for _, test := range chunkedBodies {
		t.Run(test.name, func(t *testing.T) {
			want := result{test.body, test.rest, test.status}
			for name, got := range map[string]result{
				"reader":               readChunked(t, strings.NewReader(test.wire), 512),
				"reader, small buffer": readChunked(t, strings.NewReader(test.wire), 1),
				"reader, byte by byte": readChunked(t, iotest.OneByteReader(strings.NewReader(test.wire)), 512),
				"decoder":              decodePieces(t, test.wire, whole),
				"decoder, single":      decodePieces(t, test.wire, single),
				"decoder, random":      decodePieces(t, test.wire, random(len(test.wire))),
			} {
				if got != want {
					t.Errorf("%s: %+v, want %+v", name, got, want)
				}
			}
			out, n, err := DecodeChunked([]byte("before"), []byte(test.wire), 0)
			wantOut, wantN := "before", 0
			if test.status == 0 {
				wantOut, wantN = "before"+test.body, len(test.wire)-test.rest
			}
			if string(out) != wantOut || n != wantN || status(t, err) != test.status {
				t.Errorf("DecodeChunked = %q, %d, %v, want %q, %d, status %d", out, n, err, wantOut, wantN, test.status)
			}
		})
	}
}

// TestChunkedReaderPassesErrors: a deadline that passes is not the end of the body.
func TestChunkedReaderPassesErrors(t *testing.T) {
	source := bufio.NewReader(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("2\r\nhi\r\n0\r\n\r\n"))))
	reader, p := NewChunkedReader(source, 0), make([]byte, 10)
	if n, err := reader.Read(p); n != 0 || !errors.Is(err, iotest.ErrTimeout) {
		t.Fatalf("Read = %d, %v, want the source's error", n, err)
	}
	if body, err := io.ReadAll(reader); string(body) != "hi" || err != nil {
		t.Errorf("then %q, %v", body, err)
	}
}

// TestChunkedLimit: a body that is too large is refused when the chunk that makes it so is announced.
func TestChunkedLimit(t *testing.T) {
	const wire = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
	for limit, fits := range map[int64]bool{0: true, 6: true, 5: true, 4: false, 3: false, 1: false} {
		_, _, err := DecodeChunked(nil, []byte(wire), limit)
		_, readErr := io.ReadAll(NewChunkedReader(bufio.NewReader(strings.NewReader(wire)), limit))
		if fits != (err == nil) || fits != (readErr == nil) {
			t.Errorf("limit %d: %v, reader %v", limit, err, readErr)
		}
		if err != nil && status(t, err) != 413 {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	d := ChunkedDecoder{Limit: 10}
	if _, n, _, err := d.Decode(nil, []byte("b\r\n")); n != 2 || err == nil {
		t.Errorf("a chunk of 11 bytes: %d bytes used, %v", n, err)
	}
}
