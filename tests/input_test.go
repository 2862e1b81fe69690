package tests

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const inputBody = "first\nsecond\n\nlast"

// inputCases lists what is done to wsgi.input, and the results for inputBody (PEP 3333, "Input and Error Streams";
// sizes as in the io module; the hint of readlines() may be ignored and is not tested).
var inputCases = []struct{ steps, results string }{
	{"read", `["first\nsecond\n\nlast"]`},
	{"read,read,read:5", `["first\nsecond\n\nlast","",""]`},
	{"read:-1", `["first\nsecond\n\nlast"]`},
	{"read:0,read:4,read:4,read", `["","firs","t\nse","cond\n\nlast"]`},
	{"read:18,read:1", `["first\nsecond\n\nlast",""]`},
	{"read:1000000", `["first\nsecond\n\nlast"]`},
	{"readline,readline,readline,readline,readline", `["first\n","second\n","\n","last",""]`},
	{"readline:3,readline:3,readline:100", `["fir","st\n","second\n"]`},
	{"readline:-1,readline:0,readline:6,readline:1", `["first\n","","second","\n"]`},
	{"readlines", `[["first\n","second\n","\n","last"]]`},
	{"iterate,read", `[["first\n","second\n","\n","last"],""]`},
	{"next,next,read:2,iterate", `["first\n","second\n","\nl",["ast"]]`},
	{"read:6,readline,readlines", `["first\n","second\n",["\n","last"]]`},
}

func (s *Server) wantInput(what, request, results string) {
	s.t.Helper()
	var got, wanted any
	s.Do(request).JSON(s.t, &got)
	if err := json.Unmarshal([]byte(results), &wanted); err != nil {
		s.t.Fatal(err)
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", wanted) {
		s.t.Errorf("%s: got %q, want %q", what, got, wanted)
	}
}

func TestInput(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "input", Kind: kind})
		for _, c := range inputCases {
			path := "/?" + c.steps
			s.wantInput("counted "+c.steps, post(path, inputBody), c.results)
			s.wantInput("chunked "+c.steps, chunked(path, inputBody), c.results)
			s.wantInput("chunked bytewise "+c.steps, chunked(path, strings.Split(inputBody, "")...), c.results)
		}
	})
}

func TestInputWithoutBody(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "input", Kind: kind})
		results := `["","",[],[],""]`
		s.wantInput("GET", get("/?read,readline,readlines,iterate,read:10"), results)
		s.wantInput("empty POST", post("/?read,readline,readlines,iterate,read:10", ""), results)
		s.wantInput("empty chunks", chunked("/?read,readline,readlines,iterate,read:10"), results)
	})
}

// A body's end is the end of what the application sees: what follows is the next request.
func TestInputEndsWithTheBody(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "input", Kind: kind})
		for _, read := range []string{"read:100", "readline", "readlines", "iterate", ""} {
			c := s.Dial()
			c.Send(post("/?"+read, "body"), chunked("/?"+read, "body"), post("/?read", "next"))
			for range 2 {
				if r := c.Next("POST"); r.Status != 200 || strings.Contains(r.Body, "POST") {
					t.Errorf("%s: %+v", read, r)
				}
			}
			c.Next("POST").Want(t, 200, `["next"]`)
		}
	})
}

func TestChunkedInputForms(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "input", Kind: kind})
		head := "POST /?read HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: "
		for _, c := range []struct{ name, rest string }{
			{"extensions", "chunked\r\n\r\n4;name=value;quoted=\"a;b\"\r\nbody\r\n0;last\r\n\r\n"},
			{"trailers", "chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Trailer: 1\r\nX-Other: 2\r\n\r\n"},
			{"leading zeros, upper case", "CHUNKED\r\n\r\n0004\r\nbody\r\n000\r\n\r\n"},
		} {
			s.wantInput(c.name, head+c.rest, `["body"]`)
		}
		s.wantInput("hexadecimal", head+"chunked\r\n\r\n1A\r\n"+strings.Repeat("x", 26)+"\r\n0\r\n\r\n",
			`["`+strings.Repeat("x", 26)+`"]`)
	})
}

// The same request arrives the same, in however many pieces the network delivers it.
func TestInputInPieces(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "input", Kind: kind})
		for _, request := range []string{post("/?read", inputBody), chunked("/?read", "first\n", "second\n\nlast")} {
			for _, size := range []int{1, 2, 7, 40} {
				c := s.Dial()
				c.SendSplit(request, size)
				c.Next("POST").Want(t, 200, `["first\nsecond\n\nlast"]`)
				c.Close()
			}
		}
	})
}

// A body that ends before its Content-Length is no request: the application does not run (RFC 9112 section 8).
func TestTruncatedBodyNeverRuns(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "expect", Kind: kind})
		s.Allow(`\[WARNING\] Invalid request`)
		for _, request := range []string{
			"POST /ignore HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf",
			"POST /ignore HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
			"POST /ignore HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf",
			"POST /ignore HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
		} {
			c := s.Dial()
			c.Send(request)
			c.CloseWrite()
			if r, err := readResponse(c.reader, "POST"); err == nil && r.Status != 400 {
				t.Errorf("%q is answered with %d %q", request, r.Status, r.Body)
			}
			c.ExpectClosed()
		}
		s.Get("/calls").Want(t, 200, "0")
	})
}
