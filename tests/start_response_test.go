package tests

import "testing"

// PEP 3333, "The start_response() Callable".
func TestStartResponse(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "start_response", Kind: kind})
		for path, body := range map[string]string{
			"/twice_caught":      "AssertionError",
			"/after_head_caught": "first same",
			"/lazy":              "called in the generator",
			"/keyword":           "keyword",
			"/none_exc_info":     "none",
		} {
			s.Get(path).Want(t, 200, body)
		}
		if r := s.Get("/lazy"); r.Reason != "Lazy" {
			t.Errorf("reason %q of a lazily started response", r.Reason)
		}
		if r := s.Get("/twice_caught"); r.Value("X-Call") != "first" {
			t.Errorf("the refused second call changed the head: %v", r.Fields)
		}
	})
}

func TestStartResponseTwiceIsAnError(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "start_response", Kind: kind})
		s.Expect(`\[ERROR\] Error handling request GET /twice.*Traceback.*AssertionError`)
		wantErrorPage(t, s.Get("/twice"))
	})
}

// As long as no head is sent, the call with exc_info replaces what was said before, headers included.
func TestStartResponseReplaced(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "start_response", Kind: kind})
		for _, path := range []string{"/replaced", "/replaced_lazily"} {
			r := s.Get(path).Want(t, 503, "replaced")
			if r.Reason != "Replaced" || r.Value("X-Call") != "second" {
				t.Errorf("%s: %s %v", path, r.Reason, r.Fields)
			}
		}
	})
}

// After the head the call re-raises; the client must be able to tell that the response is not whole.
func TestStartResponseAfterHead(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "start_response", Kind: kind})
		s.Expect(`\[ERROR\] Error handling request.*Traceback.*too late to replace`)
		c := s.Dial()
		r := c.Roundtrip(get("/after_head"))
		if r.Status != 200 || r.Body != "first" || r.Framing != "chunked" || !r.Truncated {
			t.Errorf("%+v", r)
		}
		c.ExpectClosed()
	})
}

func TestStartResponseNever(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "start_response", Kind: kind})
		s.Expect(`\[ERROR\] .*start_response`)
		wantErrorPage(t, s.Get("/never"))
		wantErrorPage(t, s.Get("/never_lazily"))
		s.Get("/lazy").Want(t, 200, "called in the generator")
	})
}
