package tests

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
)

// environReport is what pyapps/environ answers.
type environReport struct {
	Type     string                        `json:"type"`
	KeyTypes []string                      `json:"key types"`
	Environ  map[string][2]json.RawMessage `json:"environ"`
}

func (e *environReport) has(key string) bool {
	_, found := e.Environ[key]
	return found
}

// want demands a key of exactly this Python type and JSON value.
func (e *environReport) want(t *testing.T, key, kind string, value any) {
	t.Helper()
	entry, found := e.Environ[key]
	if !found {
		t.Errorf("%s is missing", key)
		return
	}
	wanted, _ := json.Marshal(value)
	var name string
	json.Unmarshal(entry[0], &name)
	// Both sides are decoded and encoded again: Python and Go escape differently.
	var got any
	json.Unmarshal(entry[1], &got)
	encoded, _ := json.Marshal(got)
	if name != kind || string(encoded) != string(wanted) {
		t.Errorf("%s is %s %s, want %s %s", key, name, encoded, kind, wanted)
	}
}

func (e *environReport) wantString(t *testing.T, key, value string) {
	t.Helper()
	e.want(t, key, "str", value)
}

func (e *environReport) wantAbsent(t *testing.T, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if e.has(key) {
			t.Errorf("%s is present: %s", key, e.Environ[key][1])
		}
	}
}

// environ returns what the application saw of one raw request.
func (s *Server) environ(request string) *environReport {
	s.t.Helper()
	report := &environReport{}
	s.Do(request).JSON(s.t, report)
	return report
}

func TestEnvironOfOrdinaryRequest(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "environ", Kind: kind})
		_, address := s.Address()
		host, port, _ := net.SplitHostPort(address)
		c := s.Dial()
		_, clientPort, _ := net.SplitHostPort(c.LocalAddr().String())
		e := &environReport{}
		c.Roundtrip("GET /a%20path/caf%C3%A9?q=1&r=%20 HTTP/1.1\r\nHost: example.org:81\r\n\r\n").JSON(t, e)

		// PEP 3333, "environ Variables": a builtin dict, native strings.
		if e.Type != "dict" || fmt.Sprint(e.KeyTypes) != "[str]" {
			t.Errorf("environ is a %s with keys of type %v", e.Type, e.KeyTypes)
		}
		for key, value := range map[string]string{
			"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/a path/caf\u00c3\u00a9",
			"QUERY_STRING": "q=1&r=%20", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": host, "SERVER_PORT": port,
			"REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": clientPort, "HTTP_HOST": "example.org:81",
			"RAW_URI": "/a%20path/caf%C3%A9?q=1&r=%20", "REQUEST_URI": "/a%20path/caf%C3%A9?q=1&r=%20",
			"wsgi.url_scheme": "http",
		} {
			e.wantString(t, key, value)
		}
		e.want(t, "wsgi.version", "tuple", []int{1, 0})
		e.want(t, "wsgi.multithread", "bool", kind.Threads > 1)
		e.want(t, "wsgi.multiprocess", "bool", false)
		e.want(t, "wsgi.run_once", "bool", false)
		e.want(t, "wsgi.input_terminated", "bool", true)
		e.wantAbsent(t, "CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH")
		for _, key := range []string{
			"wsgi.input", "wsgi.errors", "wsgi.file_wrapper", "wsgi.early_hints", "gunicorn.socket",
		} {
			if !e.has(key) {
				t.Errorf("%s is missing", key)
			}
		}
		var software string
		json.Unmarshal(e.Environ["SERVER_SOFTWARE"][1], &software)
		if !strings.HasPrefix(software, "pyhost/") {
			t.Errorf("SERVER_SOFTWARE %q", software)
		}
	})
}

func TestEnvironMultiprocess(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "environ", Kind: kind, Workers: 2})
		s.environ(get("/")).want(t, "wsgi.multiprocess", "bool", true)
	})
}

func TestEnvironPaths(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "environ", Kind: kind})
		for _, c := range []struct{ target, path, query string }{
			{"/", "/", ""},
			{"/?", "/", ""},
			{"//double//slash", "//double//slash", ""},
			{"/a/../b/./c", "/a/../b/./c", ""},
			{"/%2Fslash%2f", "//slash/", ""},
			{"/%00", "/\x00", ""},
			{"/%zz%4", "/%zz%4", ""},
			{"/plus+stays", "/plus+stays", ""},
			{"/q?a=b?c", "/q", "a=b?c"},
			{"/%3Fnot=query", "/?not=query", ""},
			{"/%ff", "/\u00ff", ""},
			{"/;p=1", "/;p=1", ""},
			{"http://elsewhere.example/absolute?x=1", "/absolute", "x=1"},
		} {
			e := s.environ("GET " + c.target + " HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n")
			t.Log(c.target)
			e.wantString(t, "PATH_INFO", c.path)
			e.wantString(t, "QUERY_STRING", c.query)
			e.wantString(t, "RAW_URI", c.target)
			e.wantString(t, "SCRIPT_NAME", "")
		}
		e := s.environ("OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n")
		e.wantString(t, "PATH_INFO", "*")
		e.wantString(t, "REQUEST_METHOD", "OPTIONS")
	})
}

func TestEnvironHeaders(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "environ", Kind: kind})
		e := s.environ("POST / HTTP/1.1\r\nHost: test\r\nContent-Type: text/x; charset=y\r\nContent-Length: 3\r\n" +
			"Cookie: a=1\r\nX-List: one\r\nCookie: b=2\r\nx-list: two\r\nX-List:three\r\n" +
			"X_Under_Score: smuggled\r\nX-Under-Score: honest\r\nContent_Length: 99\r\nREMOTE_USER: root\r\n" +
			"X-Latin: caf\xe9\r\nX-Empty:\r\nX-Blank: \t \r\nX-Padded: \t in the middle \t\r\nX-1: digit\r\n" +
			"User-Agent: tester\r\nAccept-Encoding: br\r\nProxy: http://evil\r\n\r\nabc")
		for key, value := range map[string]string{
			"CONTENT_TYPE": "text/x; charset=y", "CONTENT_LENGTH": "3",
			"HTTP_COOKIE": "a=1; b=2", "HTTP_X_LIST": "one,two,three", "HTTP_X_UNDER_SCORE": "honest",
			"HTTP_X_LATIN": "caf\u00e9", "HTTP_X_EMPTY": "", "HTTP_X_BLANK": "", "HTTP_X_PADDED": "in the middle",
			"HTTP_X_1": "digit", "HTTP_USER_AGENT": "tester", "HTTP_ACCEPT_ENCODING": "br",
		} {
			e.wantString(t, key, value)
		}
		e.wantAbsent(t, "HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH", "HTTP_REMOTE_USER", "REMOTE_USER")
	})
}

// A request of many headers on a kept connection must not leave any of them to the next one.
func TestEnvironIsFreshForEachRequest(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "environ", Kind: kind})
		c := s.Dial()
		c.Roundtrip("POST /first?q HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nX-Once: 1\r\nContent-Type: x/y\r\n" +
			"Content-Length: 2\r\n\r\nhi")
		e := &environReport{}
		c.Roundtrip("GET / HTTP/1.1\r\nHost: b\r\n\r\n").JSON(t, e)
		e.wantAbsent(t, "HTTP_COOKIE", "HTTP_X_ONCE", "CONTENT_TYPE", "CONTENT_LENGTH")
		e.wantString(t, "QUERY_STRING", "")
		e.wantString(t, "HTTP_HOST", "b")
	})
}

func TestEnvironMayBeMutated(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "environ_mutated", Kind: kind})
		for range 10 {
			s.Get("/").Want(t, 200, "left: nothing, complete: True")
		}
	})
}

func TestEnvironOfChunkedRequest(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "environ", Kind: kind})
		e := s.environ(chunked("/", "abc"))
		e.wantAbsent(t, "CONTENT_LENGTH", "HTTP_CONTENT_LENGTH")
		e.want(t, "wsgi.input_terminated", "bool", true)
		e.wantString(t, "HTTP_TRANSFER_ENCODING", "chunked")
	})
}

func TestEnvironOfUnixSocket(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "environ", Kind: kind, Bind: []string{"unix:" + shortDir(t) + "/s"}})
		e := s.environ("GET / HTTP/1.1\r\nHost: example.org:8443\r\n\r\n")
		e.wantString(t, "SERVER_NAME", "example.org")
		e.wantString(t, "SERVER_PORT", "8443")
		e.wantString(t, "REMOTE_ADDR", "")
		e.wantAbsent(t, "REMOTE_PORT")
		e = s.environ("GET / HTTP/1.1\r\nHost: example.org\r\nX-Forwarded-Proto: https\r\n\r\n")
		e.wantString(t, "wsgi.url_scheme", "https") // a unix peer is trusted always
		e.wantString(t, "SERVER_PORT", "443")
	})
}

func TestEnvironSchemeFromTrustedProxy(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		request := "GET / HTTP/1.1\r\nHost: test\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.9\r\n\r\n"
		trusting := Start(t, Options{App: "environ", Kind: kind})
		e := trusting.environ(request)
		e.wantString(t, "wsgi.url_scheme", "https")
		e.wantString(t, "REMOTE_ADDR", "127.0.0.1")
		wary := Start(t, Options{App: "environ", Kind: kind, Args: []string{"--forwarded-allow-ips", "192.0.2.1"}})
		wary.environ(request).wantString(t, "wsgi.url_scheme", "http")
	})
}

func TestEnvironScriptName(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "environ", Kind: kind, Env: []string{"SCRIPT_NAME=/mounted"}})
		e := s.environ(get("/mounted/page"))
		e.wantString(t, "SCRIPT_NAME", "/mounted")
		e.wantString(t, "PATH_INFO", "/page")
		e = s.environ(get("/mounted"))
		e.wantString(t, "SCRIPT_NAME", "/mounted")
		e.wantString(t, "PATH_INFO", "")
	})
}

func TestClientSocket(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "client_socket", Kind: kind})
		for range 3 {
			s.Get("/").Want(t, 200, "same")
		}
	})
}

// A thread that reads from the socket when the request is over finds it closed, as under gunicorn.
func TestClientSocketKept(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "client_socket", Kind: kind})
		s.Get("/kept").Want(t, 200, "ok")
		eventually(t, "the thread has seen the end", func() bool { return string(s.Get("/ends").Body) == "closed" })
	})
}

// RFC 9112 section 3.2: a request without Host, or with two, is refused. HTTP/1.0 may go without.
func TestHostIsRequired(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Kind: kind})
		s.Expect(`\[WARNING\] Invalid request`)
		for _, request := range []string{
			"GET / HTTP/1.1\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
		} {
			c := s.Dial()
			if r := c.Roundtrip(request); r.Status != 400 || !r.Closes() {
				t.Errorf("%q: %d %v", request, r.Status, r.Fields)
			}
			c.ExpectClosed()
		}
		s.Do("GET / HTTP/1.0\r\n\r\n").Want(t, 200, "Hello, world!\n")
	})
}
