package http1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/pyhost/pyhost/protocol/http1/corpus"
)

// FuzzParse: no input makes the parser panic; how the bytes arrive changes nothing; and the standard library, a
// third parser, reads what is accepted in the same way.
func FuzzParse(f *testing.F) {
	for _, seed := range corpus.Refused {
		f.Add([]byte(seed.Wire))
	}
	for _, seed := range corpus.Accepted {
		f.Add([]byte(seed.Wire))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		// With an empty line at its end everything can be decided.
		wire := string(data) + "\r\n\r\n"
		got := parseEverySplit(t, defaults, wire)
		switch got.status {
		case 400, 413, 414, 417, 431, 501, 505:
		case 0:
			compareWithStandardLibrary(t, wire)
		default:
			t.Errorf("%q: status %d (%s)", wire, got.status, got.text)
		}
		if early := feed(t, defaults, string(data), whole); early.status > 0 && early != got {
			t.Errorf("%q is refused with %v, but with an empty line behind it %v", data, early, got)
		}
	})
}

func compareWithStandardLibrary(t *testing.T, wire string) {
	t.Helper()
	req := &Request{}
	n, err := NewParser(defaults).Parse([]byte(wire), req)
	if err != nil {
		t.Fatal(err)
	}
	head := strings.TrimPrefix(wire[:n], "\r\n")
	checkBlock(t, head)
	other, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
	if err != nil {
		return // it refuses more: paths that are no URL, names with "_" in some places
	}
	length := req.ContentLength
	if length < 0 && !req.Chunked {
		length = 0
	}
	chunked := len(other.TransferEncoding) > 0
	if other.Method != string(req.Method) || other.RequestURI != string(req.Target) || other.Host != string(req.Host) ||
		other.ProtoMinor != req.Minor || other.ContentLength != length || chunked != req.Chunked {
		t.Errorf("%q:\nnet/http %s %s %s %d %v\nours %s", head, other.Method, other.RequestURI, other.Host,
			other.ContentLength, other.TransferEncoding, describe(req))
	}
}

// checkBlock checks what any accepted head must look like, without a parser.
func checkBlock(t *testing.T, head string) {
	t.Helper()
	if strings.Index(head, "\r\n\r\n") != len(head)-4 {
		t.Errorf("%q: the head is not what stands before the first empty line", head)
	}
	bare := strings.ReplaceAll(head, "\r\n", "")
	if strings.ContainsAny(bare, "\r\n\x00") || strings.Contains(head, "\r\n ") || strings.Contains(head, "\r\n\t") {
		t.Errorf("%q: bare CR, LF, NUL or a folded line was accepted", head)
	}
}

// FuzzChunked: the reader, the decoder and DecodeChunked agree about every input, in any pieces, and the standard
// library decodes what they accept to the same bytes.
func FuzzChunked(f *testing.F) {
	for _, seed := range corpus.ChunkedBodies {
		f.Add([]byte(seed.Wire))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		wire := string(data)
		want := decodePieces(t, wire, whole)
		for name, got := range map[string]result{
			"decoder, single":  decodePieces(t, wire, single),
			"decoder, random":  decodePieces(t, wire, random(len(wire))),
			"reader":           readChunked(t, strings.NewReader(wire), 64),
			"reader, one byte": readChunked(t, strings.NewReader(wire), 1),
		} {
			if got != want {
				t.Errorf("%s: %+v, decoder at once: %+v", name, got, want)
			}
		}
		out, n, err := DecodeChunked(nil, data, 0)
		if status(t, err) != want.status {
			t.Errorf("DecodeChunked: %v, decoder: %+v", err, want)
		}
		if err != nil {
			if n != 0 || len(out) != 0 {
				t.Errorf("DecodeChunked = %q, %d with error %v", out, n, err)
			}
			return
		}
		if string(out) != want.body || n != len(data)-want.rest {
			t.Errorf("DecodeChunked = %q, %d, decoder: %+v", out, n, want)
		}
		// It refuses more: whitespace before an extension, many small chunks.
		other, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(data)))
		if err == nil && !bytes.Equal(other, out) {
			t.Errorf("net/http decodes %q to %q, not to %q", data, other, out)
		}
	})
}
