package tests

import (
	"strings"
	"testing"
)

func TestOddBodies(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "odd_objects", Kind: kind, Args: []string{"--keep-alive", "60"}})
		c := s.Dial()
		for _, r := range []struct{ name, body, framing string }{
			{"len-one", "one", "length"},
			{"len-one-of-two", "one and two", "chunked"}, // nothing is lost by a len() that is wrong
			{"len-one-of-none", "", "length"},
			{"len-two-of-one", "one", "chunked"},
			{"len-negative", "one", "chunked"},
			{"len-raises", "one", "chunked"},
			{"list-subclass", "ab", "length"},
			{"bytes-subclass", "subclass", "length"},
			{"no-close", "body", ""},
		} {
			got := c.Roundtrip(get("/body/"+r.name)).Want(t, 200, r.body)
			if r.framing != "" && got.Framing != r.framing {
				t.Errorf("%s is sent as %s, want %s", r.name, got.Framing, r.framing)
			}
		}
		// Emptied in time, or sent as it was: never something in between.
		if r := c.Roundtrip(get("/body/shrinking")); r.Truncated ||
			r.Body != "" && r.Body != strings.Repeat("m", 4000000)+strings.Repeat("n", 4000000) {
			t.Errorf("a list that shrinks while it is sent: %d bytes, truncated: %v", len(r.Body), r.Truncated)
		}
		for _, name := range []string{"close-raises", "close-attribute-raises"} { // too late to matter to the client
			s.Expect(`\[ERROR\] Error closing the response of GET /body/` + name + `\s.*Traceback.*ValueError`)
			c.Roundtrip(get("/body/"+name)).Want(t, 200, "body")
		}
	})
}

func TestOddBodiesThatFail(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "odd_objects", Kind: kind, Args: []string{"--keep-alive", "60"}})
		for name, log := range map[string]string{
			"len-one-str":          `must be bytes, not 'text'`,
			"len-one-fails":        `no second block`,
			"iter-raises":          `ValueError: iter`,
			"iter-and-close-raise": `ValueError: iter\s.*KeyError: 'close'`,
			"none":                 `'NoneType' object is not iterable`,
			"number":               `'int' object is not iterable`,
			"long-str":             `must be bytes, not 'x{50,250} \(PEP 3333`, // and not the whole page in the log
			"memoryview":           `must be bytes, not <memory at`,
			"unprintable":          `Unprintable`,
			"nested":               `a second time without exc_info`,
		} {
			s.Expect(`\[ERROR\] Error handling request GET /body/` + name + `\s.*` + log)
			wantErrorPage(t, s.Get("/body/"+name))
		}
		s.Get("/body/len-one").Want(t, 200, "one")
	})
}

func TestOddHeaders(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "odd_objects", Kind: kind, Args: []string{"--keep-alive", "60"}})
		for _, name := range []string{"tuple", "lists", "subclass", "str-subclass", "items"} {
			if r := s.Get("/headers/"+name).Want(t, 200, "headed"); r.Value("X-Kind") != name {
				t.Errorf("%s: %v", name, r.Fields)
			}
		}
		for name, log := range map[string]string{
			"broken-pair":  `KeyError: 'in the pair'`,
			"triple":       `a header must be a \(name, value\) tuple, not \('X-Kind', 'a', 'b'\)`,
			"dict":         `a header must be a \(name, value\) tuple, not 'X-Kind'`,
			"number":       `'int' object is not iterable`,
			"bad-subclass": `(KeyboardInterrupt: in __repr__|ValueError)`,
		} {
			s.Expect(`\[ERROR\] Error handling request GET /headers/` + name + `\s.*` + log)
			wantErrorPage(t, s.Get("/headers/"+name))
		}
	})
}

// exc_info that is none must not reach Python's error state, which trusts what is in it.
func TestOddExcInfo(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "odd_objects", Kind: kind, Args: []string{"--keep-alive", "60"}})
		c := s.Dial()
		for name, raised := range map[string]string{
			"numbers": "TypeError", "nones": "TypeError", "list": "TypeError", "text": "TypeError",
			"class": "TypeError", "no-traceback": "TypeError", "wrong-type": "ValueError",
		} {
			c.Roundtrip(get("/exc_info/"+name)).Want(t, 200, "block "+raised)
		}
	})
}
