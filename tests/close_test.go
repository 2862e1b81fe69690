package tests

import "testing"

// PEP 3333, "Specification Details": close() is called once however the request ends.
func TestCloseIsCalledOnce(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "close", Kind: kind})
		s.Expect(`Error handling request.*(iteration failed|no iterator today|bytes|AssertionError)`)
		for _, c := range []struct {
			request, name string
			status        int
		}{
			{get("/normal"), "normal", 200},
			{get("/list"), "list", 200},
			{"HEAD /head HTTP/1.1\r\nHost: test\r\n\r\n", "head", 200},
			{"GET /old HTTP/1.0\r\n\r\n", "old", 200},
			{get("/not-modified"), "not-modified", 304},
			{get("/first-error"), "first-error", 500},
			{get("/later-error"), "later-error", 200},
			{get("/bad-block"), "bad-block", 200},
			{get("/iter-error"), "iter-error", 500},
		} {
			r := s.Do(c.request)
			if r.Status != c.status {
				t.Errorf("%s: status %d, want %d", c.name, r.Status, c.status)
			}
			s.wantClosed(c.name)
		}
		// Nobody got a body here: the second start_response() failed first.
		wantErrorPage(t, s.Get("/headless"))
		s.Get("/count/headless").Want(t, 200, "0")
	})
}

// wantClosed waits until close() was called: it may come after the last byte of the response.
func (s *Server) wantClosed(name string) {
	s.t.Helper()
	eventually(s.t, "close() of "+name, func() bool { return s.Get("/count/"+name).Body != "0" })
	s.Get("/count/"+name).Want(s.t, 200, "1")
}

func TestCloseWhenTheClientLeaves(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "close", Kind: kind})
		for _, name := range []string{"gone", "generator"} {
			c := s.Dial()
			c.Send(get("/" + name))
			c.ReadRaw(100000)
			c.Reset()
			s.wantClosed(name)
		}
	})
}

func TestCloseThatFails(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "close", Kind: kind})
		s.Expect(`GET /close-error.*Traceback.*close failed`)
		if r := s.Get("/close-error"); r.Status != 200 || r.Body != "one two" {
			t.Errorf("%+v", r)
		}
		s.wantClosed("close-error")
	})
}
