package tests

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// files makes files in a directory of the test and returns it.
func files(t *testing.T, contents map[string]string) string {
	t.Helper()
	directory := t.TempDir()
	for name, content := range contents {
		path := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

// request is a GET, or another method if the path begins with one, with further header lines.
func request(path string, lines ...string) string {
	method := "GET"
	if m, rest, ok := strings.Cut(path, " "); ok {
		method, path = m, rest
	}
	text := method + " " + path + " HTTP/1.1\r\nHost: test\r\n"
	for _, line := range lines {
		text += line + "\r\n"
	}
	return text + "\r\n"
}

// staticSite starts a server with a few files and returns it with a connection, which serves all requests of a test:
// each response must end where it says.
func staticSite(t *testing.T, kind Kind) (server *Server, get func(path string, lines ...string) *Response) {
	t.Helper()
	directory := files(t, map[string]string{
		"site.css": "body {}", "a b.js": "js", "large.bin": staticLarge, "packed.js": "plain", "packed.js.gz": "gzipped",
		"packed.js.br": "brotli", "stale.js": "new", "stale.js.gz": "old", "empty.txt": "", "sub/x.txt": "x",
	})
	now := time.Now()
	for name, age := range map[string]time.Duration{"packed.js": 0, "packed.js.gz": 0, "packed.js.br": 0,
		"stale.js.gz": time.Hour} {
		if err := os.Chtimes(filepath.Join(directory, name), now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	server = Start(t, Options{App: "environ", Kind: kind, Args: []string{"--static", "/static=" + directory,
		"--static-max-age", "60", "--access-logfile", "-", "--access-logformat", "%(m)s %(U)s %(s)s %(B)s"}})
	c := server.Dial()
	return server, func(path string, lines ...string) *Response {
		t.Helper()
		return c.Roundtrip(request(path, lines...))
	}
}

var staticLarge = string(randomBytes(3 << 20))

func TestStatic(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		server, get := staticSite(t, kind)
		r := get("/static/site.css").Want(t, 200, "body {}")
		if r.Value("Content-Type") != "text/css; charset=utf-8" || r.Value("Cache-Control") != "max-age=60" ||
			r.Value("Server") != "pyhost" || r.Value("Date") == "" || r.Value("Accept-Ranges") != "bytes" ||
			r.Value("X-Content-Type-Options") != "nosniff" {
			t.Errorf("head %q", r.Fields)
		}
		get("/static/a%20b.js?v=1").Want(t, 200, "js")
		get("/static/empty.txt").Want(t, 200, "")
		get("/static/sub/x.txt").Want(t, 200, "x")
		if r := get("HEAD /static/large.bin"); r.Status != 200 || r.Value("Content-Length") != "3145728" {
			t.Errorf("HEAD: %d %q", r.Status, r.Fields)
		}
		get("/static/large.bin").Want(t, 200, staticLarge)
		for _, path := range []string{ // what is not there, or not served
			"/static/", "/static/sub", "/static/sub/", "/static/missing", "/static/../environ", "/static/%2e%2e/x",
			"/static/x%00", "/static//site.css",
		} {
			if r := get(path); r.Status != 404 || r.Closes() {
				t.Errorf("%s: %d %q", path, r.Status, r.Fields)
			}
		}
		if r := get("DELETE /static/site.css"); r.Status != 405 || r.Value("Allow") != "GET, HEAD" {
			t.Errorf("DELETE: %d %q", r.Status, r.Fields)
		}
		if r := get("/staticx"); r.Status != 200 || !strings.Contains(r.Body, "PATH_INFO") {
			t.Errorf("a path of the application's: %d %.100q", r.Status, r.Body)
		}
		c := server.Dial()
		c.Send(request("/static/site.css"), request("/other"), request("/static/sub/x.txt"))
		c.Next("GET").Want(t, 200, "body {}")
		c.Next("GET")
		c.Next("GET").Want(t, 200, "x")
		if r := c.Roundtrip(request("/static/site.css", "Connection: close")); r.Body != "body {}" || !r.Closes() {
			t.Errorf("the last response: %q %q", r.Fields, r.Body)
		}
		c.ExpectClosed()
		eventually(t, "the access log tells it", func() bool {
			log := server.Output()
			return strings.HasPrefix(log, "GET /static/site.css 200 7\nGET /static/a\\x20b.js 200 2\n") &&
				strings.Contains(log, "HEAD /static/large.bin 200 0\n") &&
				strings.Contains(log, "GET /static/large.bin 200 3145728\n") &&
				strings.Contains(log, "GET /static/missing 404 ")
		})
	})
}

// RFC 9110 13 and 14.
func TestStaticConditionsAndRanges(t *testing.T) {
	t.Parallel()
	_, get := staticSite(t, syncKind)
	r := get("/static/site.css").Want(t, 200, "body {}")
	etag, modified := r.Value("ETag"), r.Value("Last-Modified")
	if etag == "" || modified == "" {
		t.Errorf("head %q", r.Fields)
	}
	get("/static/site.css", "If-None-Match: "+etag).Want(t, 304, "")
	get("/static/site.css", `If-None-Match: "x"`).Want(t, 200, "body {}")
	get("/static/site.css", "If-Modified-Since: "+modified).Want(t, 304, "")
	get("/static/site.css", "If-Match: \"x\"").Want(t, 412, "")
	get("/static/site.css", "If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT").Want(t, 412, "")
	r = get("/static/large.bin", "Range: bytes=100-299").Want(t, 206, staticLarge[100:300])
	if r.Value("Content-Range") != "bytes 100-299/3145728" {
		t.Errorf("Content-Range %q", r.Value("Content-Range"))
	}
	get("/static/large.bin", "Range: bytes=-5").Want(t, 206, staticLarge[len(staticLarge)-5:])
	get("/static/site.css", "Range: bytes=1-2", "If-Range: "+etag).Want(t, 206, "od")
	get("/static/site.css", "Range: bytes=1-2", `If-Range: "x"`).Want(t, 200, "body {}")
	if r := get("/static/site.css", "Range: bytes=7-"); r.Status != 416 || r.Value("Content-Range") != "bytes */7" {
		t.Errorf("a range behind the end: %d %q", r.Status, r.Fields)
	}
	if r := get("/static/site.css", "Range: bytes=-0"); r.Status != 416 || r.Value("Content-Range") != "bytes */7" {
		t.Errorf("the last 0 bytes: %d %q", r.Status, r.Fields)
	}
	get("/static/site.css", "Range: BYTES=1-2").Want(t, 206, "od")
	get("/static/site.css", "Range: lines=1-2").Want(t, 200, "body {}")
	get("/static/empty.txt", "Range: bytes=-5").Want(t, 200, "")
	if r := get("HEAD /static/site.css", "Range: bytes=1-2"); r.Status != 200 || r.Value("Content-Length") != "7" {
		t.Errorf("a range of HEAD: %d %q", r.Status, r.Fields)
	}
	r = get("/static/site.css", "Range: bytes=0-0,2-3")
	if r.Status != 206 || !strings.HasPrefix(r.Value("Content-Type"), "multipart/byteranges") ||
		!strings.Contains(r.Body, "\r\n\r\nb\r\n") || !strings.Contains(r.Body, "\r\n\r\ndy\r\n") {
		t.Errorf("two ranges: %d %q %q", r.Status, r.Fields, r.Body)
	}
}

func TestStaticCompressed(t *testing.T) {
	t.Parallel()
	_, get := staticSite(t, gthreadKind)
	for accept, want := range map[string]string{
		"gzip": "gzipped", "gzip, br": "brotli", "br;q=0, gzip": "gzipped", "identity": "plain", "": "plain",
	} {
		r := get("/static/packed.js", "Accept-Encoding: "+accept).Want(t, 200, want)
		coding := map[string]string{"gzipped": "gzip", "brotli": "br"}[want]
		if r.Value("Content-Encoding") != coding || r.Value("Vary") != "Accept-Encoding" ||
			r.Value("Content-Type") != "text/javascript; charset=utf-8" {
			t.Errorf("Accept-Encoding %q: %q", accept, r.Fields)
		}
	}
	get("/static/packed.js", "Accept-Encoding: br", "Range: bytes=0-1").Want(t, 206, "br")
	get("/static/stale.js", "Accept-Encoding: gzip").Want(t, 200, "new")
}

// A body for a file is no request, and byte by byte it is the same.
func TestStaticRequests(t *testing.T) {
	t.Parallel()
	directory := files(t, map[string]string{"a": "a"})
	server := Start(t, Options{App: "hello", Args: []string{"--static", "/=" + directory}})
	server.Expect("Invalid request from ip=127.0.0.1: a request for a static file has a body")
	if r := server.Do(post("/a", "body")); r.Status != 400 {
		t.Errorf("POST: status %d", r.Status)
	}
	c := server.Dial()
	c.SendSplit(request("/a"), 1)
	c.Next("GET").Want(t, 200, "a")
	c.Send("GET /a HTTP/1.0\r\n\r\n")
	c.Next("GET").Want(t, 200, "a")
	c.ExpectClosed()
}

// A slow reader of a file does not hold the only thread; over TLS neither.
func TestStaticSlowReader(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	large := string(randomBytes(8 << 20))
	directory := files(t, map[string]string{"large": large})
	server := startTLS(t, authority, Options{App: "hello", Kind: syncKind,
		Bind: []string{"127.0.0.1:0", "http+unix:" + shortDirectory(t) + "/s"},
		Args: []string{"--static", "/files=" + directory}})
	config := &tls.Config{RootCAs: authority.Pool}
	slow, plain := server.DialTLS(config), server.DialTo(server.Addresses[1])
	slow.Send(request("/files/large"))
	plain.Send(request("/files/large"))
	server.DialTLS(config).Roundtrip(get("/")).Want(t, 200, "Hello, world!\n")
	slow.Next("GET").Want(t, 200, large)
	plain.Next("GET").Want(t, 200, large)
}

// Clients that leave in the middle of a file, at once or later, harm nobody else.
func TestStaticClientGone(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		directory := files(t, map[string]string{"large": staticLarge, "small": "small"})
		server := Start(t, Options{App: "hello", Kind: kind, Args: []string{"--static", "/files=" + directory}})
		for n := range 40 {
			c := server.Dial()
			c.Send(request("/files/large"), request("/files/small"))
			if n%2 == 0 {
				c.Read(make([]byte, 1000))
			}
			c.Close()
		}
		server.Do(request("/files/small")).Want(t, 200, "small")
		server.Get("/").Want(t, 200, "Hello, world!\n")
	})
}

func TestStaticSettings(t *testing.T) {
	t.Parallel()
	for argument, says := range map[string]string{
		"/a=/nowhere":    "/nowhere: no such file or directory",
		"/a=/etc/fstab/": "not a directory",
		"a=/":            "must be PREFIX=DIR with a slash in front",
		"/a":             "must be PREFIX=DIR",
		"/a%20=/":        "cannot contain %",
	} {
		server := Start(t, Options{App: "hello", Cold: true, Args: []string{"--static", argument}})
		server.Expect("static.*" + says)
		server.WaitExit(1)
		if !strings.Contains(server.Log(), says) {
			t.Error(fmt.Sprint(argument, ": ", server.Log()))
		}
	}
}

// HAProxy makes a chunked request, whose body is empty, of a GET that ended with an empty DATA frame.
func TestStaticEmptyBody(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		server, _ := staticSite(t, kind)
		c := server.Dial()
		head := request("/static/site.css", "Transfer-Encoding: chunked")
		c.Send(head + "0\r\n\r\n" + head + "0\r\n\r\n")
		c.Next("GET").Want(t, 200, "body {}")
		c.Next("GET").Want(t, 200, "body {}")
		c.SendSplit(head+"0\r\n\r\n"+request("/static/sub/x.txt"), len(head))
		c.Next("GET").Want(t, 200, "body {}")
		c.Next("GET").Want(t, 200, "x")
		for _, body := range []string{"x", staticLarge} {
			server.Expect("Invalid request from ip=127.0.0.1: a request for a static file has a body")
			c := server.Dial()
			c.Send(head)
			c.Send(fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body))
			if r := c.Next("GET"); r.Status != 400 {
				t.Errorf("a body of %d bytes: %d", len(body), r.Status)
			}
		}
	})
}
