package http1

import (
	"strings"
	"testing"

	"github.com/pyhost/pyhost/protocol/http1/corpus"
)

var (
	folding  = Leniency{Folding: true}
	spaces   = Leniency{HeaderSpaces: true}
	method   = Leniency{Method: true}
	casefold = Leniency{Casefold: true}
	versions = Leniency{Version: true}
)

// lenient are heads that only a setting of gunicorn's lets pass, and those that it does not. status 0 = accepted.
var lenient = []struct {
	name    string
	permits Leniency
	status  int
	wire    string
	want    string // a part of what describe says, or of the rule
}{
	{"folded line", folding, 0, get + "X-A: a\r\n \t b\r\nX-B: c\r\n\r\n", `|X-A:"a b"|X-B:"c"`},
	{"three lines", folding, 0, get + "X-A: a\r\n b\r\n\tc \r\n\r\n", `|X-A:"a b c"`},
	{"first line empty", folding, 0, get + "X-A:\r\n b\r\n\r\n", `|X-A:"b"`},
	{"line of spaces", folding, 0, get + "X-A: a\r\n  \r\n b\r\n\r\n", `|X-A:"a b"`},
	{"folded Connection", folding, 0, get + "Connection: te,\r\n close\r\n\r\n", "keep=false"},
	{"folded Transfer-Encoding", folding, 400, post + "Transfer-Encoding:\r\n chunked\r\n\r\n", "folding"},
	{"folded Content-Length", folding, 400, post + "Content-Length: 5\r\n 0\r\n\r\n", "folding"},
	{"folded Host", folding, 400, "GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", "folding"},
	{"whitespace before the first field", folding, 400, "GET / HTTP/1.1\r\n Host: x\r\n\r\n", "folding"},
	{"control character in a folded line", folding, 400, get + "X-A: a\r\n b\x00\r\n\r\n", "control"},
	{"folded line with LF", folding, 400, get + "X-A: a\r\n b\n c\r\n\r\n", "LF"},
	{"folded header too long", folding, 431,
		get + "X-A: " + strings.Repeat("a", 5000) + "\r\n " + strings.Repeat("b", 5000) + "\r\n\r\n", "field_size"},
	{"not folded", folding, 0, get + "X-A: a\r\n\r\n", `|X-A:"a"`},

	{"space before colon", spaces, 0, post + "Content-Length \t: 5\r\n\r\nhello", "length=5 "},
	{"space inside name", spaces, 400, get + "X Foo: v\r\n\r\n", "whitespace between"},
	{"no name", spaces, 400, get + " : v\r\n\r\n", "folding"},
	{"space and no colon", spaces, 400, get + "X-A \r\n\r\n", "whitespace between"},

	{"one letter", method, 0, "X / HTTP/1.1\r\nHost: x\r\n\r\n", "X / "},
	{"long", method, 0, strings.Repeat("A", 50) + " / HTTP/1.1\r\nHost: x\r\n\r\n", "AAA / "},
	{"lower case", method, 0, "get#! / HTTP/1.1\r\nHost: x\r\n\r\n", "get#! / "},
	{"no token", method, 400, "G(T / HTTP/1.1\r\nHost: x\r\n\r\n", "method"},
	{"empty", method, 400, " / HTTP/1.1\r\nHost: x\r\n\r\n", "method"},
	{"endless", method, 414, strings.Repeat("A", 5000), "limit_request_line"},

	{"folded case", casefold, 0, "get / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / "},
	{"folded OPTIONS", casefold, 0, "options * HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * "},
	{"folded case, too short", casefold, 400, "ab / HTTP/1.1\r\nHost: x\r\n\r\n", "method"},
	{"folded case, other characters", casefold, 400, "g#t / HTTP/1.1\r\nHost: x\r\n\r\n", "method"},
	{"folded case, any token", Leniency{Method: true, Casefold: true}, 0,
		"p / HTTP/1.1\r\nHost: x\r\n\r\n", "P / "},

	{"HTTP/1.2", versions, 0, "GET / HTTP/1.2\r\nHost: x\r\n\r\n", "minor=1"},
	{"HTTP/3.0", versions, 0, "GET / HTTP/3.0\r\nHost: x\r\n\r\n", "minor=1"},
	{"HTTP/0.9", versions, 0, "GET / HTTP/0.9\r\n\r\n", "minor=0"},
	{"HTTP/1.2 without Host", versions, 400, "GET / HTTP/1.2\r\n\r\n", "Host"},
	{"HTTP/1.10", versions, 400, "GET / HTTP/1.10\r\nHost: x\r\n\r\n", "request line"},
}

func TestLeniency(t *testing.T) {
	for _, test := range lenient {
		t.Run(test.name, func(t *testing.T) {
			permissive := func() *Parser { return NewParser(defaults).Permit(test.permits) }
			got := feedParser(t, permissive(), test.wire, whole)
			if got.status != test.status || !strings.Contains(got.text, test.want) {
				t.Errorf("%v, want %d %s", got, test.status, test.want)
			}
			for seed := range 5 {
				if other := feedParser(t, permissive(), test.wire, random(seed)); other != got {
					t.Errorf("split at random: %v\nwhole: %v", other, got)
				}
			}
			if other := feedParser(t, permissive(), test.wire, single); other != got {
				t.Errorf("byte by byte: %v\nwhole: %v", other, got)
			}
		})
	}
}

// TestLeniencyIsAsked: without its setting nothing of it is accepted, and what needs none is read as ever.
func TestLeniencyIsAsked(t *testing.T) {
	for _, test := range lenient {
		if test.status == 0 && test.name != "not folded" {
			if got := feed(t, defaults, test.wire, whole); got.status < 400 {
				t.Errorf("%s: %v without its setting", test.name, got)
			}
		}
	}
	all := Leniency{true, true, true, true, true}
	for _, test := range corpus.Accepted {
		want := feed(t, defaults, test.Wire, whole)
		if got := feedParser(t, NewParser(defaults).Permit(all), test.Wire, whole); got != want {
			t.Errorf("%s: %v with all settings, %v without", test.Name, got, want)
		}
	}
}

func TestBodyLimit(t *testing.T) {
	limits := defaults
	limits.Body = 5
	for wire, status := range map[string]int{
		post + "Content-Length: 5\r\n\r\n": 0, post + "Content-Length: 6\r\n\r\n": 413, get + "\r\n": 0,
		post + "Transfer-Encoding: chunked\r\n\r\n": 0,
	} {
		if got := parseEverySplit(t, limits, wire); got.status != status {
			t.Errorf("%q: %v, want %d", wire, got, status)
		}
	}
}
