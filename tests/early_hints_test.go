package tests

import "testing"

// RFC 8297; RFC 9110 section 15.2 forbids interim responses to HTTP/1.0 clients.
func TestEarlyHints(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "early_hints", Kind: kind})
		c := s.Dial()
		c.Send(get("/"))
		first, second := c.Next("GET"), c.Next("GET")
		if first.Status != 103 || first.Value("Link") != "</style.css>; rel=preload; as=style" || first.Proto != "HTTP/1.1" {
			t.Errorf("first interim response: %+v", first)
		}
		if second.Status != 103 || second.Value("Link") != "</app.js>; rel=preload" || second.Value("X-Hint") != "two" {
			t.Errorf("second interim response: %+v", second)
		}
		if len(second.Fields) != 2 {
			t.Errorf("the framing of the response is in the hints: %v", second.Fields)
		}
		final := c.Next("GET").Want(t, 200, "hinted\n")
		if final.Value("Link") != "" {
			t.Errorf("the hints are in the final response: %v", final.Fields)
		}
		s.Do("GET / HTTP/1.0\r\n\r\n").Want(t, 200, "hinted\n")
	})
}
