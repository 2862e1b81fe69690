package http1

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pyhost/pyhost/protocol/http1/corpus"
)

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
	for _, test := range corpus.ChunkedBodies {
		t.Run(test.Name, func(t *testing.T) {
			want := result{test.Body, test.Rest, test.Status}
			for name, got := range map[string]result{
				"reader":               readChunked(t, strings.NewReader(test.Wire), 512),
				"reader, small buffer": readChunked(t, strings.NewReader(test.Wire), 1),
				"reader, byte by byte": readChunked(t, iotest.OneByteReader(strings.NewReader(test.Wire)), 512),
				"decoder":              decodePieces(t, test.Wire, whole),
				"decoder, single":      decodePieces(t, test.Wire, single),
				"decoder, random":      decodePieces(t, test.Wire, random(len(test.Wire))),
			} {
				if got != want {
					t.Errorf("%s: %+v, want %+v", name, got, want)
				}
			}
			out, n, err := DecodeChunked([]byte("before"), []byte(test.Wire), 0)
			wantOut, wantN := "before", 0
			if test.Status == 0 {
				wantOut, wantN = "before"+test.Body, len(test.Wire)-test.Rest
			}
			if string(out) != wantOut || n != wantN || status(t, err) != test.Status {
				t.Errorf("DecodeChunked = %q, %d, %v, want %q, %d, status %d", out, n, err, wantOut, wantN, test.Status)
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
