package tests

import (
	"strings"
	"testing"
)

// wsgiref.validate stands between the server and each well-behaved application, and has nothing to say: an
// AssertionError of it would be a 500 and a traceback in the log, a late one an unexpected log line.
func TestValidatorIsSilent(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		for _, c := range []struct {
			behaviour string
			requests  []string
			body      string
		}{
			{"hello", []string{"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n"}, ""},
			{"hello", []string{get("/"), post("/", "body"), "GET / HTTP/1.0\r\n\r\n"}, "Hello, world!\n"},
			{"environ", []string{get("/%20path?query"), chunked("/", "a")}, `{"type": "dict"`},
			{"input", []string{
				post("/?read:-1", inputBody), chunked("/?read:-1", inputBody), post("/?readline:100,iterate", inputBody),
				post("/?readlines", inputBody),
			}, `[`},
			{"iterables", []string{get("/list"), get("/generator"), get("/iterator"), get("/tuple")}, "a"},
			{"write_callable", []string{get("/only"), get("/mixed")}, ""},
			{"start_response", []string{get("/replaced"), get("/lazy")}, ""},
			{"response_headers", []string{get("/cookies"), get("/server"), get("/date")}, "body"},
			{"errors_stream", []string{get("/")}, "complained"},
			{"upload", []string{post("/", strings.Repeat("x", 200000))}, "200000 "},
		} {
			s := Start(t, Options{App: "validated", Kind: kind, Env: []string{"BEHAVIOUR=" + c.behaviour}})
			for _, request := range c.requests {
				if r := s.Do(request); r.Status >= 500 && r.Reason != "Replaced" || !strings.HasPrefix(r.Body, c.body) {
					t.Errorf("%s, %.40q: %d %.100q", c.behaviour, request, r.Status, r.Body)
				}
			}
			for _, complaint := range []string{"AssertionError", "garbage collected without being closed", "WSGIWarning"} {
				if strings.Contains(s.Log(), complaint) {
					t.Errorf("%s: the validator complains", c.behaviour)
				}
			}
		}
	})
}
