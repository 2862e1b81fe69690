package workers

import (
	"net/http"
	"testing"
)

func TestMalformed(t *testing.T) {
	for _, test := range []struct {
		method, path, host string
		header             http.Header
		length             int64
		ok                 bool
	}{
		{"GET", "/", "x", nil, 0, true},
		{"OPTIONS", "*", "x", nil, 0, true},
		{"CONNECT", "x:80", "x:80", nil, 0, true}, // the parser refuses it, with 501
		{"POST", "/", "x", nil, -1, true},
		{"POST", "/", "x", http.Header{"Content-Length": {"5"}}, 5, true},
		{"POST", "/", "x", http.Header{"Content-Length": {"05"}}, 5, true},
		{"GET", "/", "x", http.Header{"Content-Length": {"0"}}, 0, true},
		{"GET", "/", "x", http.Header{"Host": {"X"}}, 0, true},
		{"", "/", "x", nil, 0, false},
		{"GET /a", "/", "x", nil, 0, false},
		{"GET", "", "x", nil, 0, false},
		{"GET", "/a HTTP/1.1\r\nX:", "x", nil, 0, false},
		{"GET", "http://other/", "x", nil, 0, false},
		{"GET", "/", "x", http.Header{"Content-Length": {"7"}}, 0, false}, // the stream ends with the head
		{"POST", "/", "x", http.Header{"Content-Length": {"abc"}}, 0, false},
		{"POST", "/", "x", http.Header{"Content-Length": {"+5"}}, 0, false},
		{"POST", "/", "x", http.Header{"Content-Length": {"-0"}}, 0, false},
		{"POST", "/", "x", http.Header{"Content-Length": {""}}, 0, false},
		{"POST", "/", "x", http.Header{"Content-Length": {"99999999999999999999"}}, 0, false},
		{"POST", "/", "x", http.Header{"Content-Length": {"5", "5"}}, 5, false},
		{"GET", "/", "x", http.Header{"Host": {"y"}}, 0, false},
		{"GET", "/", "x", http.Header{"Host": {"x", "y"}}, 0, false},
	} {
		r := &http.Request{Method: test.method, RequestURI: test.path, Host: test.host, Header: test.header,
			ContentLength: test.length}
		if rule := malformed(r); (rule == "") != test.ok {
			t.Errorf("%q %q, Host %q, %q, length %d: %q", test.method, test.path, test.host, test.header, test.length, rule)
		}
	}
}
