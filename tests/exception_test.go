package tests

import (
	"strings"
	"testing"
)

// wantErrorPage demands the server's own page for a failed application: complete, HTML, telling nothing.
func wantErrorPage(t *testing.T, r *Response) {
	t.Helper()
	if r.Status != 500 || r.Reason != "Internal Server Error" || r.Truncated || r.Framing != "length" {
		t.Errorf("got %d %s, %s, truncated: %v", r.Status, r.Reason, r.Framing, r.Truncated)
	}
	if !strings.HasPrefix(r.Value("Content-Type"), "text/html") || !strings.Contains(r.Body, "Internal Server Error") {
		t.Errorf("not the error page: %v %q", r.Fields, r.Body)
	}
	if strings.Contains(r.Body, "Traceback") || r.Value("X-Lost") != "" {
		t.Errorf("the application's failure leaks: %v %q", r.Fields, r.Body)
	}
}

func TestExceptionBeforeHead(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "exceptions", Kind: kind})
		for _, c := range []struct{ name, log string }{
			{"value", "ValueError: bad value"},
			{"unicode", "ValueError: caf\u00e9 \u20ac"},
			{"base", "Interrupted: not an Exception"},
			{"stop", "StopIteration: from the application"},
		} {
			for _, place := range []string{"/raise_before_start/", "/raise_after_start/"} {
				wantErrorPage(t, s.Get(place+c.name))
				s.Expect(`\[ERROR\] Error handling request GET ` + place + c.name + `\s.*Traceback.*in application.*` + c.log)
			}
		}
		wantErrorPage(t, s.Get("/raise_on_first_block/value"))
		s.Expect(`Error handling request GET /raise_on_first_block/value\s.*Traceback.*bad value`)
	})
}

// The connection stays usable for who sent a request that made the application fail, or is closed honestly.
func TestExceptionLeavesConnectionHonest(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "exceptions", Kind: kind})
		s.Expect(`Error handling request.*bad value`)
		c := s.Dial()
		r := c.Roundtrip(get("/raise_before_start/value"))
		wantErrorPage(t, r)
		if r.Closes() {
			c.ExpectClosed()
		} else if next := c.Roundtrip(get("/pid/")); next.Status != 200 {
			t.Errorf("after the 500: %+v", next)
		}
	})
}

func TestExceptionAfterHead(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "exceptions", Kind: kind})
		for _, place := range []string{"/raise_after_block/", "/raise_after_counted_block/", "/raise_after_write/"} {
			s.Expect(`\[ERROR\] Error handling request GET ` + place + `value\s.*Traceback.*bad value`)
			c := s.Dial()
			r := c.Roundtrip(get(place + "value"))
			if r.Status != 200 || r.Body != "first block" || !r.Truncated {
				t.Errorf("%s: %d %q truncated: %v", place, r.Status, r.Body, r.Truncated)
			}
			c.ExpectClosed()
		}
	})
}

// sys.exit() in a request is a mistake of one request, not the end of the worker.
func TestExitInRequestDoesNotEndWorker(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "exceptions", Kind: kind})
		s.Expect(`\[ERROR\] Error handling request.*(SystemExit|KeyboardInterrupt)`)
		pid := s.Get("/pid/").Body
		for _, name := range []string{"exit", "exit-none", "interrupt"} {
			wantErrorPage(t, s.Get("/raise_before_start/"+name))
			wantErrorPage(t, s.Get("/raise_on_first_block/"+name))
			if r := s.Get("/raise_after_block/" + name); r.Status != 200 || !r.Truncated {
				t.Errorf("%s after a block: %+v", name, r)
			}
		}
		s.Get("/pid/").Want(t, 200, pid)
	})
}

func TestRecursionError(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "exceptions", Kind: kind})
		s.Expect(`Error handling request GET /recurse/\s.*RecursionError`)
		pid := s.Get("/pid/").Body
		wantErrorPage(t, s.Get("/recurse/"))
		s.Get("/pid/").Want(t, 200, pid)
	})
}
