package http1

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pyhost/pyhost/protocol/http1/corpus"
)

// defaults are gunicorn's default limits.
var defaults = Limits{RequestLine: 4094, Fields: 100, FieldSize: 8190}

// outcome is everything that a caller can see of a parse, as one comparable value.
type outcome struct {
	status int // 0 = accepted, -1 = incomplete
	text   string
}

// feed gives wire to a new parser in pieces, whose sizes come from next, as a connection does.
func feed(t testing.TB, limits Limits, wire string, next func(left int) int) outcome {
	t.Helper()
	return feedParser(t, NewParser(limits), wire, next)
}

func feedParser(t testing.TB, parser *Parser, wire string, next func(left int) int) outcome {
	t.Helper()
	req, buf := &Request{}, []byte(wire)
	for seen, have := 0, 0; have < len(buf); seen = have {
		have += next(len(buf) - have)
		n, err := parser.ParseMore(buf[:have:have], seen, req)
		var refused *Refusal
		switch {
		case err == nil:
			if n != req.HeadLen {
				t.Fatalf("Parse = %d but HeadLen = %d", n, req.HeadLen)
			}
			return outcome{0, describe(req)}
		case errors.As(err, &refused):
			if n != 0 {
				t.Fatalf("%d bytes consumed by a refused head", n)
			}
			return outcome{refused.Status, refused.Rule}
		case err != ErrIncomplete || n != 0: //nolint:errorlint // ErrIncomplete is promised bare
			t.Fatalf("Parse = %d, %v", n, err)
		}
	}
	return outcome{-1, "incomplete"}
}

func describe(r *Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s path=%s query=%s host=%s minor=%d ", r.Method, r.Target, r.Path, r.Query, r.Host, r.Minor)
	fmt.Fprintf(&b, "length=%d chunked=%v keep=%v expect=%v head=%d",
		r.ContentLength, r.Chunked, r.KeepAlive, r.Expect100, r.HeadLen)
	for _, h := range r.Headers {
		fmt.Fprintf(&b, "|%s:%q", h.Name, h.Value)
	}
	return b.String()
}

func whole(left int) int { return left }
func single(int) int     { return 1 }

// random returns pieces of random size, the same ones for the same seed.
func random(seed int) func(left int) int {
	source := rand.New(rand.NewPCG(1, uint64(seed)))
	return func(left int) int { return 1 + source.IntN(min(left, 40)) }
}

// parseEverySplit returns the outcome of wire and fails if it depends on how the bytes arrive.
func parseEverySplit(t testing.TB, limits Limits, wire string) outcome {
	t.Helper()
	want := feed(t, limits, wire, whole)
	if got := feed(t, limits, wire, single); got != want {
		t.Errorf("byte by byte: %v\nwhole: %v", got, want)
	}
	for seed := range 5 {
		if got := feed(t, limits, wire, random(seed)); got != want {
			t.Errorf("split at random: %v\nwhole: %v", got, want)
		}
	}
	return want
}

func TestRefused(t *testing.T) {
	for _, test := range corpus.Refused {
		t.Run(test.Name, func(t *testing.T) {
			got := parseEverySplit(t, defaults, test.Wire)
			if got.status != test.Status {
				t.Errorf("%q: status %d (%s), want %d: %s", test.Wire, got.status, got.text, test.Status, test.RFC)
			}
		})
	}
}

func TestAccepted(t *testing.T) {
	for _, test := range corpus.Accepted {
		t.Run(test.Name, func(t *testing.T) {
			got := parseEverySplit(t, defaults, test.Wire)
			if got.status != 0 || !strings.Contains(got.text, test.Want) {
				t.Errorf("%q: status %d\n got %s\nwant %s: %s", test.Wire, got.status, got.text, test.Want, test.RFC)
			}
		})
	}
}

func TestIncomplete(t *testing.T) {
	for _, head := range []string{small, browser, "\r\n" + small} {
		for n := range len(head) {
			if got := feed(t, defaults, head[:n], whole); got.status != -1 {
				t.Fatalf("%q: %v, want incomplete", head[:n], got)
			}
		}
	}
}

// TestPipelined: what follows the head is left alone, and a Request shows nothing of the one before.
func TestPipelined(t *testing.T) {
	first := "POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
	second := "GET /c HTTP/1.0\r\n\r\n"
	buf, parser, req := []byte(first+"abc"+second), NewParser(defaults), &Request{}
	n, err := parser.Parse(buf, req)
	if err != nil || n != len(first) {
		t.Fatalf("first: %d, %v", n, err)
	}
	n, err = parser.Parse(buf[n+3:], req)
	want := "GET /c path=/c query= host= minor=0 length=-1 chunked=false keep=false expect=false head=19"
	if err != nil || n != len(second) || describe(req) != want {
		t.Errorf("second: %d, %v\n got %s\nwant %s", n, err, describe(req), want)
	}
}

// TestDribbledHeadIsLinear: a head that arrives byte by byte is read as a whole a few times only.
func TestDribbledHeadIsLinear(t *testing.T) {
	head := "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-Filler: "+strings.Repeat("y", 4000)+"\r\n", 90) + "\r\n"
	wire, bounds, reads := []byte(head), newBounds(defaults), 0
	for n := 1; n <= len(head); n++ {
		if bounds.decides(wire[:n], n-1) {
			reads++
		}
	}
	if reads > 30 {
		t.Errorf("%d full reads of a head of %d bytes", reads, len(head))
	}
}
