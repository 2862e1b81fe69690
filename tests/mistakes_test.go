package tests

import (
	"strings"
	"testing"
)

// A mistake in the access log's settings is told by the master, in one line, before anything listens.
func TestAccessLogMistakes(t *testing.T) {
	for _, args := range [][]string{
		{"--access-logfile", "-", "--access-logformat", "%(zz)s"},
		{"--access-logfile", "/nonexistent/access.log"},
	} {
		o := run(t, nil, append(args, "--bind", "127.0.0.1:0", "wsgi:application")...)
		if o.code != 1 || strings.Count(o.stderr, "\n") != 1 || !strings.HasPrefix(o.stderr, "Error: ") {
			t.Errorf("%v: exit code %d, said %q, want one line", args, o.code, o.stderr)
		}
	}
}

// HEAD has no body, not even on an error page (RFC 9110 section 9.3.2).
func TestHeadOfErrorPages(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "exceptions", Kind: kind})
		s.Expect(`Error handling request`)
		s.Expect(`Invalid request`)
		for _, request := range []string{
			"HEAD /raise_before_start/value HTTP/1.1\r\nHost: test\r\n\r\n",
			"HEAD / HTTP/1.1\r\n\r\n",
		} {
			c := s.Dial()
			c.Send(request)
			r, err := readResponse(c.reader, "HEAD")
			if err != nil || r.Status < 400 {
				t.Fatalf("%q: %+v, %v", request, r, err)
			}
			c.ExpectClosed()
		}
	})
}
