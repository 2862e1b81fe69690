package tests

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// TestFlask runs a real application the way it is deployed: both worker kinds, two workers, nginx with and without TLS.
func TestFlask(t *testing.T) {
	directory, err := filepath.Abs(filepath.Join("..", "pyapps", "flask_app"))
	if err != nil {
		t.Fatal(err)
	}
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		start := func(t *testing.T, bind string) *Server {
			arguments := []string{"--python", interpreter, "--chdir", directory, "-w", "2", "--bind", bind}
			arguments = append(arguments, kind.Args...)
			return Start(t, Options{Quiet: true, Workers: 2, Kind: kind, Args: append(arguments, "app:app"),
				Env: []string{"FLASK_UPLOAD_DIR=" + t.TempDir()}})
		}
		behindNginx(t, start, func(t *testing.T, nginx *Nginx, base string) {
			t.Run("session", func(t *testing.T) { checkFlaskSession(t, nginx.Browser(t, base)) })
			t.Run("bodies", func(t *testing.T) { checkFlaskBodies(t, nginx.Browser(t, base)) })
			t.Run("scheme", func(t *testing.T) { checkFlaskScheme(t, nginx.Browser(t, base)) })
		})
	})
}

func checkFlaskSession(t *testing.T, browser *Browser) {
	t.Helper()
	data := randomBytes(2 << 20)
	browser.PostFile("/upload", nil, "file", "data.bin", data).Want(t, 403)
	browser.Post("/login", url.Values{"user": {"Zoë"}}).Want(t, 200, "Hello, Zoë.")
	page := browser.PostFile("/upload", nil, "file", "data.bin", data).Want(t, 200)
	if !bytes.Equal([]byte(page.Body), data) {
		t.Errorf("%d bytes came back, SHA-256 %x", len(page.Body), sha256.Sum256([]byte(page.Body)))
	}
	browser.Get("/").Want(t, 200, "Hello, Zoë.", `href="/files/data.bin"`)
	page = browser.Post("/logout", nil).Want(t, 200, "Log in")
	if strings.Contains(page.Body, "Hello") {
		t.Errorf("the session survived its end: %q", page.Body)
	}
	browser.Get("/nowhere").Want(t, 404, "Not Found")
}

func checkFlaskBodies(t *testing.T, browser *Browser) {
	t.Helper()
	data := randomBytes(2 << 20)
	page := browser.PostBody("/checksum", bytes.NewReader(data)).Want(t, 200)
	var sum struct {
		Length int
		SHA256 string
	}
	if err := json.Unmarshal([]byte(page.Body), &sum); err != nil {
		t.Fatalf("%v in %q", err, page.Body)
	}
	if want := fmt.Sprintf("%x", sha256.Sum256(data)); sum.Length != len(data) || sum.SHA256 != want {
		t.Errorf("Flask read %d bytes with SHA-256 %s, want %d with %s", sum.Length, sum.SHA256, len(data), want)
	}

	page = browser.Get("/download").Want(t, 200)
	want := page.Header.Get("X-Sha256")
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(page.Body))); len(page.Body) != 5<<20 || got != want {
		t.Errorf("the download has %d bytes with SHA-256 %s, want %d with %s", len(page.Body), got, 5<<20, want)
	}
	checkStream(t, browser.Get("/stream?lines=5000"), 5000)
}

func checkFlaskScheme(t *testing.T, browser *Browser) {
	t.Helper()
	page := browser.Get("/scheme").Want(t, 200)
	var request struct {
		Scheme, URL string
		Secure      bool
	}
	if err := json.Unmarshal([]byte(page.Body), &request); err != nil {
		t.Fatalf("%v in %q", err, page.Body)
	}
	scheme, _, _ := strings.Cut(browser.base, ":")
	if request.Scheme != scheme || request.Secure != (scheme == "https") || request.URL != browser.base+"/scheme" {
		t.Errorf("over %s Flask sees %+v", browser.base, request)
	}
}
