package tests

import (
	"regexp"
	"strings"
	"testing"
)

// What a request was given dies with it: using it later raises, and reaches no other request's client.
func TestUseAfterTheRequest(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "late_use", Kind: kind})
		c := s.Dial()
		c.Roundtrip(get("/")).Want(t, 200, "")
		for range 5 {
			r := c.Roundtrip(get("/"))
			if r.Status == 103 {
				t.Errorf("the hints of an earlier request came: %v", r.Fields)
				r = c.Next("GET")
			}
			if r.Status != 200 || r.Value("X-Late") != "" {
				t.Errorf("%+v", r)
			}
			// start_response, write, early_hints: hints may be ignored silently when they come too late.
			if !regexp.MustCompile(`^[A-Z]\w+Error,[A-Z]\w+Error,(nothing|[A-Z]\w+Error),nothing$`).MatchString(r.Body) {
				t.Errorf("raised: %s", r.Body)
			}
		}
	})
}

// A body on disk ends with its request, even if the application keeps it: the harness looks for its descriptor.
func TestSpooledBodyEndsWithTheRequest(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		c := Start(t, Options{App: "late_use", Kind: kind}).Dial()
		c.Roundtrip(post("/", strings.Repeat("x", 1<<20))).Want(t, 200, "")
		if r := c.Roundtrip(post("/", strings.Repeat("x", 1<<20))); !strings.HasSuffix(r.Body, ",ValueError") {
			t.Errorf("reading the kept body raised: %s", r.Body)
		}
	})
}
