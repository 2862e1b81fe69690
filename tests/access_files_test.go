package tests

import (
	"regexp"
	"strings"
	"testing"
)

// A request that is answered with a file is told like any other: its client, the application's time, what it noted.
func TestAccessLogOfFiles(t *testing.T) {
	t.Parallel()
	root := files(t, map[string]string{"a.txt": "content"})
	s := Start(t, Options{App: "offload", Args: []string{"--sendfile-root", root, "--static", "/static=" + root,
		"--real-ip", "--request-id-header", "X-Request-ID", "--access-logfile", "-",
		"--access-logformat", "%(h)s %(m)s %(U)s %(s)s %(B)s %(M)s [%({file}v)s] %({remote_addr}e)s %({x-request-id}i)s"}})
	from := "X-Forwarded-For: 203.0.113.7"
	s.Expect("Cannot send the file")
	c := s.Dial()
	c.Roundtrip(request("/static/a.txt", from, "X-Request-ID: none of ours")).Want(t, 200, "content")
	c.Roundtrip(request("/noted?a.txt", from)).Want(t, 200, "content")
	if r := c.Roundtrip(request("HEAD /?missing", from)); r.Status != 404 {
		t.Errorf("status %d", r.Status)
	}
	c.ExpectClosed()
	s.Expect("Cannot send the file")
	missing := s.Do(request("/?missing", from))
	want := regexp.MustCompile(`^203.0.113.7 GET /static/a.txt 200 7 \d+ \[-\] \S+ [0-9a-f]{32}
203.0.113.7 GET /noted 200 7 (2|3|4|5|6|7|8|9)\d\d+ \[a.txt\] 203.0.113.7 [0-9a-f]{32}
203.0.113.7 HEAD / 404 0 \d+ \[-\] 203.0.113.7 [0-9a-f]{32}
203.0.113.7 GET / 404 (\d+) \d+ \[-\] 203.0.113.7 [0-9a-f]{32}
$`)
	eventually(t, "the access log tells it", func() bool { return strings.Count(s.Output(), "\n") == 4 })
	if found := want.FindStringSubmatch(s.Output()); found == nil || found[2] != missing.Value("Content-Length") {
		t.Errorf("the access log is\n%swant\n%s", s.Output(), want)
	}
}

// What is refused is told once, with its request line and what the client got, whoever noticed.
func TestAccessLogOfRefusals(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{App: "upload", Args: []string{"--header-map", "refuse", "--access-logfile", "-",
		"--access-logformat", "%(r)s %(U)s %(s)s %(B)s %(outcome)s"}})
	s.Expect("Error handling request POST /body")
	s.Expect("Invalid request from ip=127.0.0.1: chunk size")
	c := s.Dial()
	c.Send("POST /body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
	c.ReadRaw(len("HTTP/1.1 100 Continue\r\n\r\n"))
	c.Send("zz\r\n")
	chunk := c.Next("POST")
	s.Expect("Invalid request from ip=127.0.0.1: header name with _")
	name := s.Do(request("/%6eame", "X_A: 1"))
	want := "POST /body HTTP/1.1 /body 400 " + chunk.Value("Content-Length") + " refused\n" +
		"GET /%6eame HTTP/1.1 /name 400 " + name.Value("Content-Length") + " refused\n"
	eventually(t, "the access log tells it", func() bool { return strings.Count(s.Output(), "\n") == 2 })
	if s.Output() != want {
		t.Errorf("the access log is\n%swant\n%s", s.Output(), want)
	}
}
