package tests

import "testing"

// What a request was given dies with it: using it later raises, and reaches no other request's client.
func TestUseAfterTheRequest(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "late_use", Kind: kind})
		c := s.Dial()
		c.Roundtrip(get("/")).Want(t, 200, "")
		for range 5 {
			r := c.Roundtrip(get("/"))
			if r.Status != 200 || r.Value("X-Late") != "" {
				t.Errorf("%+v", r)
			}
			if r.Body != "RuntimeError,RuntimeError,RuntimeError" && r.Body != "RuntimeError,RuntimeError,nothing" {
				t.Errorf("raised: %s", r.Body)
			}
		}
	})
}
