package tests

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

func TestOffload(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		directory := files(t, map[string]string{
			"root/a file.txt": "content", "root/sub/b": "b", "secret": "secret", "root/large": staticLarge,
		})
		root := filepath.Join(directory, "root")
		server := Start(t, Options{App: "offload", Kind: kind, Args: []string{"--sendfile-root", root,
			"--access-logfile", "-", "--access-logformat", "%(U)s %(s)s %(B)s %({content-type}o)s"}})
		c := server.Dial()
		get := func(path, file string, lines ...string) *Response {
			t.Helper()
			return c.Roundtrip(request(path+"?"+strings.ReplaceAll(url.QueryEscape(file), "+", "%20"), lines...))
		}
		r := get("/", filepath.Join(root, "a file.txt")).Want(t, 200, "content")
		if r.Value("Content-Type") != "text/x-test" || r.Value("Content-Disposition") != "attachment" ||
			r.Value("X-Sendfile") != "" || r.Value("ETag") == "" || r.Value("Last-Modified") == "" || r.Value("Date") == "" {
			t.Errorf("head %q", r.Fields)
		}
		get("/", "sub/b").Want(t, 200, "b")
		get("/lazy", "sub/b").Want(t, 200, "b")
		get("/write", "sub/b").Want(t, 200, "b")
		get("/status", "sub/b").Want(t, 404, "b")
		get("/accel", "/a file.txt").Want(t, 200, "content")
		get("/", "large", "Range: bytes=5-9").Want(t, 206, staticLarge[5:10])
		get("/", "large").Want(t, 200, staticLarge)
		get("/", "a file.txt", "If-None-Match: "+r.Value("ETag")).Want(t, 304, "")
		// The next answer on the connection shows that no content came with those that have none.
		get("/304", "large").Want(t, 304, "")
		get("/204", "missing").Want(t, 204, "")
		get("/206", "large", "Range: bytes=5-9").Want(t, 206, staticLarge[5:10])
		if r := get("/206", "sub/b").Want(t, 200, "b"); r.Value("Content-Range") != "" {
			t.Errorf("head %q", r.Fields)
		}
		if r := get("HEAD /", "a file.txt"); r.Status != 200 || r.Value("Content-Length") != "7" {
			t.Errorf("HEAD: %d %q", r.Status, r.Fields)
		}
		for _, path := range []string{filepath.Join(directory, "secret"), "../secret", "missing", "sub", "/etc/passwd", ""} {
			server.Expect(`Cannot send the file that the response of GET /\?`)
			if r := server.Do(request("/?" + url.QueryEscape(path))); r.Status != 404 || strings.Contains(r.Body, "not sent") {
				t.Errorf("%s: %d %q", path, r.Status, r.Body)
			}
		}
		eventually(t, "the access log tells it", func() bool {
			return strings.HasPrefix(server.Output(), "/ 200 7 text/x-test\n") && strings.Contains(server.Output(), "/ 404 ")
		})
	})
}

// A file's name that is a client's begins no line of the log.
func TestOffloadNameInTheLog(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "offload", Args: []string{"--sendfile-root", t.TempDir()}})
	server.Expect(`Cannot send the file that the response of GET /accel\?\S+ names: openat a\\x0a\[2026`)
	forged := "[2026-01-01 00:00:00 +0000] [1] [CRITICAL] forged"
	if r := server.Get("/accel?/a" + strings.ReplaceAll("%0A"+forged, " ", "%20")); r.Status != 404 {
		t.Errorf("status %d", r.Status)
	}
	if strings.Contains(server.Log(), "\n"+forged) {
		t.Error("the client has written a line into the log")
	}
}

// Without the setting the headers are for the proxy in front.
func TestOffloadOff(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "offload"})
	if r := server.Get("/?x").Want(t, 200, "not sent"); r.Value("X-Sendfile") != "x" {
		t.Errorf("head %q", r.Fields)
	}
}
