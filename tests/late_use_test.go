package tests

import (
	"regexp"
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
			if !regexp.MustCompile(`^[A-Z]\w+Error,[A-Z]\w+Error,(nothing|[A-Z]\w+Error)$`).MatchString(r.Body) {
				t.Errorf("raised: %s", r.Body)
			}
		}
	})
}
