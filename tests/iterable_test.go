package tests

import (
	"strings"
	"testing"
)

func TestIterables(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "iterables", Kind: kind})
		for _, c := range []struct{ path, body, framing string }{
			{"/list", "a list", "length"},
			{"/list-of-three", "a longer list", "length"},
			{"/list-with-empties", "a list", "length"},
			{"/list-subclass", "0a1b", ""},
			{"/empty-list", "", "length"},
			{"/empty-block", "", "length"},
			{"/tuple", "a tuple", ""},
			{"/generator", "a generator", "chunked"},
			{"/generator-of-one", "one", "chunked"},
			{"/generator-with-empties", "a generator", "chunked"},
			{"/empty-generator", "", ""},
			{"/iterable", "an iterable", "chunked"},
			{"/iterator", "an iterator", "chunked"},
			{"/sequence", "a sequence", ""},
			{"/map", "A MAP", "chunked"},
			{"/set", "a set", "length"}, // len() is 1
			{"/megabyte", strings.Repeat("m", 1<<20), "length"},
			{"/thousand", strings.Repeat("0123456789", 1000), "chunked"},
			{"/list-of-thousand", strings.Repeat("0123456789", 1000), "length"},
		} {
			r := s.Get(c.path).Want(t, 200, c.body)
			if c.framing != "" && r.Framing != c.framing {
				t.Errorf("%s is sent as %s, want %s", c.path, r.Framing, c.framing)
			}
		}
	})
}

// HTTP/1.0 knows no chunks: what has no length ends with the connection (RFC 9112 section 6.3).
func TestIterablesForHTTP10(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "iterables", Kind: kind})
		for _, c := range []struct{ path, body, framing string }{
			{"/list", "a list", "length"},
			{"/empty-list", "", "length"},
			{"/generator", "a generator", "close"},
			{"/thousand", strings.Repeat("0123456789", 1000), "close"},
		} {
			for _, connection := range []string{"", "Connection: keep-alive\r\n"} {
				c1 := s.Dial()
				r := c1.Roundtrip("GET "+c.path+" HTTP/1.0\r\n"+connection+"\r\n").Want(t, 200, c.body)
				if r.Framing != c.framing {
					t.Errorf("%s is sent as %s, want %s", c.path, r.Framing, c.framing)
				}
				if c.framing == "close" && strings.EqualFold(r.Value("Connection"), "keep-alive") {
					t.Errorf("%s: kept alive without an end: %v", c.path, r.Fields)
				}
			}
		}
	})
}
