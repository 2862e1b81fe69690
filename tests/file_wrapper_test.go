package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// PEP 3333, "Optional Platform-Specific File Handling".
func TestFileWrapper(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		content := strings.Repeat("0123456789", 1000)
		s := Start(t, Options{App: "file_wrapper", Kind: kind, Env: []string{"FILE=" + writeFile(t, content)}})
		without := Start(t, Options{
			App: "file_wrapper", Kind: kind, Env: []string{"FILE=" + writeFile(t, content)}, Args: []string{"--no-sendfile"}})
		for _, c := range []struct{ path, body string }{
			{"/begun", content[5:]},
			{"/named", "flushed"},
			{"/unflushed", "3456789"},
			{"/zipped", "unpacked"},
			{"/loud", "QUIET"},
			{"/part", content[5:]},
			{"/whole", content},
			{"/raw", content},
			{"/offset", content[5:]},
			{"/memory", "in memory"},
			{"/only-read", "only read()"},
			{"/pipe", "through a pipe"},
			{"/empty", ""},
			{"/whole?10000", content},
			{"/whole?7", "0123456"},
			{"/offset?7", "5678901"},
			{"/memory?9", "in memory"},
		} {
			s.Allow(`Content-Length`)
			s.Get(c.path).Want(t, 200, c.body)
			s.Do("GET "+c.path+" HTTP/1.0\r\n\r\n").Want(t, 200, c.body)
			without.Allow(`Content-Length`)
			without.Get(c.path).Want(t, 200, c.body)
		}
		// The length of a plain file is known before it is sent.
		if r := s.Get("/begun"); r.Value("Content-Length") != fmt.Sprint(len(content)-5) {
			t.Errorf("%+v", r.Fields)
		}
		for _, r := range []*Response{s.Get("/zipped"), without.Get("/begun")} {
			if r.Value("Transfer-Encoding") != "chunked" {
				t.Errorf("%+v", r.Fields)
			}
		}
		c := s.Dial()
		for range 3 {
			c.Roundtrip(get("/offset")).Want(t, 200, content[5:])
		}
		s.Do("HEAD /whole?10000 HTTP/1.1\r\nHost: test\r\n\r\n").Want(t, 200, "")
		// The block size is a hint that a server may ignore.
		if r := s.Get("/iterated"); strings.ReplaceAll(r.Body, "|", "") != content {
			t.Errorf("iterated by the application: %.30q", r.Body)
		}
	})
}

func TestFileWrapperClosesFile(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "file_wrapper", Kind: kind, Env: []string{"FILE=" + writeFile(t, "content")}})
		s.Get("/counted?7").Want(t, 200, "content")
		s.Do("HEAD /counted?7 HTTP/1.1\r\nHost: test\r\n\r\n")
		eventually(t, "both files are closed", func() bool { return s.Get("/closed").Body == "2" })
	})
}

func TestFileShorterThanContentLength(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "file_wrapper", Kind: kind, Env: []string{"FILE=" + writeFile(t, "content")}})
		s.Expect(`GET /whole.*Content-Length`)
		c := s.Dial()
		if r := c.Roundtrip(get("/whole?100")); r.Status != 200 || r.Body != "content" || !r.Truncated {
			t.Errorf("%+v", r)
		}
		c.ExpectClosed()
	})
}

func TestBigFile(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		content := strings.Repeat("0123456789abcdef", 1<<20)
		s := Start(t, Options{App: "file_wrapper", Kind: kind, Env: []string{"FILE=" + writeFile(t, content)}})
		for _, path := range []string{"/whole", "/whole?16777216"} {
			if r := s.Get(path); r.Body != content {
				t.Errorf("%s: %d bytes of %d, truncated: %v", path, len(r.Body), len(content), r.Truncated)
			}
		}
	})
}

func writeFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
