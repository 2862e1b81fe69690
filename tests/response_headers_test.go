package tests

import (
	"fmt"
	"testing"
)

func TestStatusLines(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "response_headers", Kind: kind})
		for _, c := range []struct {
			path   string
			status int
			reason string
		}{
			{"/reason", 299, "Very Much Custom"},
			{"/empty-reason", 200, ""},
			{"/latin-reason", 200, "caf\xe9"},
		} {
			if r := s.Get(c.path).Want(t, c.status, "body"); r.Reason != c.reason {
				t.Errorf("%s: reason %q", c.path, r.Reason)
			}
		}
	})
}

// Header strings are ISO-8859-1 (PEP 3333, "A Note On String Types"), their order and repetition is kept.
func TestResponseHeaders(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "response_headers", Kind: kind})
		for _, c := range []struct{ path, name, value string }{
			{"/latin", "X-Latin", "caf\xe9 \xff"},
			{"/empty-value", "X-Empty", ""},
			{"/odd-name", "X-!#$%&'*+-.^_`|~", "token"},
			{"/tab", "X-Tab", "a\tb"},
		} {
			r := s.Get(c.path).Want(t, 200, "body")
			if values := r.Values(c.name); len(values) != 1 || values[0] != c.value {
				t.Errorf("%s: %q", c.path, r.Fields)
			}
		}
		cookies := s.Get("/cookies").Fields
		var order []string
		for _, field := range cookies {
			if field.Name == "Set-Cookie" || field.Name == "X-Between" {
				order = append(order, field.Name+"="+field.Value)
			}
		}
		if fmt.Sprint(order) != "[Set-Cookie=a=1 X-Between=yes Set-Cookie=b=2]" {
			t.Errorf("order %v", order)
		}
		if r := s.Get("/many"); len(r.Fields) < 200 || r.Value("X-Field-199") == "" {
			t.Errorf("%d fields arrived of 200", len(r.Fields))
		}
	})
}

// The application's own Server and Date win, and stand alone.
func TestOwnServerAndDate(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "response_headers", Kind: kind})
		const epoch = "Thu, 01 Jan 1970 00:00:00 GMT"
		for _, c := range []struct{ path, server, date string }{
			{"/server", "mine/1", ""},
			{"/date", "pyhost", epoch},
			{"/lower-case", "mine/2", epoch},
		} {
			r := s.Get(c.path)
			servers, dates := r.Values("Server"), r.Values("Date")
			if len(servers) != 1 || servers[0] != c.server || len(dates) != 1 || (c.date != "" && dates[0] != c.date) {
				t.Errorf("%s: %v", c.path, r.Fields)
			}
		}
	})
}
