package tests

import (
	"strings"
	"testing"
)

// What an application may not return is answered with 500, before a byte of it is on the wire, and the log says
// what was wrong with what.
func TestBadResponses(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "bad_response", Kind: kind})
		for _, c := range []struct{ path, log string }{
			{"/status-int", "status"}, {"/status-bytes", "status"}, {"/status-short", "20 OK"},
			{"/status-word", "status"}, {"/status-crlf", "status"},
			{"/headers-none", "header"}, {"/header-triple", "header"},
			{"/name-bytes", "X-Bad"}, {"/name-empty", "header"}, {"/name-space", "X Bad"}, {"/name-colon", "X-Bad:"},
			{"/name-crlf", "X-Bad"},
			{"/value-int", "X-Bad"}, {"/value-bytes", "X-Bad"}, {"/value-none", "X-Bad"}, {"/value-crlf", "X-Bad"},
			{"/value-lf", "X-Bad"}, {"/value-cr", "X-Bad"}, {"/value-nul", "X-Bad"}, {"/value-euro", "X-Bad"},
			{"/length-word", "Content-Length"}, {"/length-negative", "Content-Length"}, {"/length-two", "contradicts"},
			{"/body-str", "bytes"}, {"/body-strs", "bytes"}, {"/body-int", "bytes"}, {"/body-none", "bytes"},
			{"/returned-none", "NoneType"}, {"/returned-str", "str"}, {"/returned-bytes", "bytes"},
			// PEP 3333, "Other HTTP Features": hop-by-hop headers are a fatal error (RFC 9110 section 7.6.1).
			{"/hop-connection", "Connection"}, {"/hop-keep-alive", "Keep-Alive"},
			{"/hop-transfer-encoding", "Transfer-Encoding"}, {"/hop-te", "TE"}, {"/hop-trailers", "Trailers"},
			{"/hop-upgrade", "upgrade"}, {"/hop-proxy-authenticate", "Proxy-Authenticate"},
			{"/hop-proxy-authorization", "Proxy-Authorization"},
		} {
			s.Expect(`\[ERROR\] Error handling request GET ` + c.path + `\s.*` + c.log)
			t.Log(c.path)
			r := s.Get(c.path)
			wantErrorPage(t, r)
			for _, field := range r.Fields {
				if strings.HasPrefix(field.Name, "X-") {
					t.Errorf("%s: the response has %v", c.path, field)
				}
			}
		}
		s.Get("/good").Want(t, 200, "good")
	})
}

// A bad block that follows good ones of a list may come too late for a 500, but never passes as a whole response.
func TestBadBlockAfterGoodOne(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "bad_response", Kind: kind})
		s.Expect(`\[ERROR\] Error handling request.*bytes`)
		if r := s.Get("/body-second-str"); r.Status != 500 && !r.Truncated {
			t.Errorf("%+v", r)
		}
		s.Get("/good").Want(t, 200, "good")
	})
}
