package tests

import (
	"fmt"
	"testing"
)

// RFC 9110 sections 9.3.2, 15.3.5, 15.4.5: no byte of a body, whatever the application returns; the next response
// of the same connection proves it.
func TestNoBody(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "no_body", Kind: kind})
		s.Allow(`HEAD|body`)
		for _, method := range []string{"GET", "HEAD"} {
			for _, status := range []int{200, 204, 304} {
				if method == "GET" && status == 200 {
					continue
				}
				for _, form := range []string{"list", "generator", "write", "length", "empty"} {
					path := fmt.Sprintf("/%d/%s", status, form)
					c := s.Dial()
					r := c.Roundtrip(method + " " + path + " HTTP/1.1\r\nHost: test\r\n\r\n")
					if r.Status != status || r.Value("X-Method") != method {
						t.Errorf("%s %s: %+v", method, path, r)
					}
					if r.Closes() {
						c.ExpectClosed()
					} else {
						c.Roundtrip(get("/200/length")).Want(t, 200, "not for you")
					}
				}
			}
		}
	})
}

// RFC 9110 section 8.6: HEAD and 304 may tell the length that GET would have.
func TestNoBodyKeepsContentLength(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "no_body", Kind: kind})
		s.Allow(`HEAD|body`)
		if r := s.Do("HEAD /200/length HTTP/1.1\r\nHost: test\r\n\r\n"); r.Value("Content-Length") != "11" {
			t.Errorf("HEAD: %v", r.Fields)
		}
		if r := s.Get("/304/length"); r.Value("Content-Length") != "11" {
			t.Errorf("304: %v", r.Fields)
		}
	})
}

// An interim status cannot be an application's answer: it is an error, or at least the end of the connection.
func TestInterimStatusFromApplication(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "no_body", Kind: kind})
		s.Allow(`\[ERROR\] Error handling request GET /103/list\s.*103`)
		c := s.Dial()
		if r := c.Roundtrip(get("/103/list")); r.Status == 500 {
			wantErrorPage(t, r)
		} else {
			c.ExpectClosed()
		}
	})
}
