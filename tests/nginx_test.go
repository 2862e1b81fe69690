package tests

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
)

// environOf decodes what the environ application says of a key; "" if it is absent.
func environOf(t *testing.T, page *Page, key string) string {
	t.Helper()
	page.Want(t, 200)
	var report struct{ Environ map[string][2]any }
	if err := json.Unmarshal([]byte(page.Body), &report); err != nil {
		t.Fatalf("%v in %.500q", err, page.Body)
	}
	value, _ := report.Environ[key][1].(string)
	return value
}

// randomBytes repeat nowhere, so that a lost or doubled block shows.
func randomBytes(size int) []byte {
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{}).Read(data) // never fails
	return data
}

// PEP 3333, "URL Reconstruction": the scheme is the one that the client used, as a trusted proxy tells it.
func TestNginxTellsTheScheme(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		start := func(t *testing.T, bind string) *Server {
			return Start(t, Options{App: "environ", Kind: kind, Bind: []string{bind}})
		}
		behindNginx(t, start, func(t *testing.T, nginx *Nginx, _ string) {
			for base, want := range map[string]string{nginx.URL: "http", nginx.SecureURL: "https"} {
				page := nginx.Browser(t, base).Get("/")
				if scheme := environOf(t, page, "wsgi.url_scheme"); scheme != want {
					t.Errorf("behind %s wsgi.url_scheme is %q, want %q", base, scheme, want)
				}
				if host := environOf(t, page, "HTTP_HOST"); want+"://"+host != base {
					t.Errorf("behind %s HTTP_HOST is %q", base, host)
				}
				if client := environOf(t, page, "HTTP_X_FORWARDED_FOR"); client != "127.0.0.1" {
					t.Errorf("HTTP_X_FORWARDED_FOR is %q", client)
				}
			}
		})
	})
}

// gunicorn's forwarded_allow_ips: who is not in it cannot say https; a unix socket's peer always may.
func TestNginxThatIsNotTrusted(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T, bind string) *Server {
		return Start(t, Options{App: "environ", Kind: gthreadKind, Bind: []string{bind},
			Args: []string{"--forwarded-allow-ips", "192.0.2.1"}})
	}
	behindNginx(t, start, func(t *testing.T, nginx *Nginx, base string) {
		want := "http"
		if base == nginx.SecureURL { // reached over the unix socket
			want = "https"
		}
		page := nginx.Browser(t, nginx.SecureURL).Get("/")
		if scheme := environOf(t, page, "wsgi.url_scheme"); scheme != want {
			t.Errorf("wsgi.url_scheme is %q, want %q", scheme, want)
		}
	})
}

// nginx keeps its connections to the server and sends one request after the other over them.
func TestNginxReusesItsConnection(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "environ", Kind: gthreadKind, Args: []string{"--keep-alive", "30"}})
	nginx := StartNginx(t, server.Addresses[0])
	browser := nginx.Browser(t, nginx.URL)
	ports := map[string]bool{}
	for range 20 {
		ports[environOf(t, browser.Get("/"), "REMOTE_PORT")] = true
	}
	if len(ports) != 1 {
		t.Errorf("20 requests came over %d connections: %v", len(ports), ports)
	}
}

func TestNginxUpload(t *testing.T) {
	data := randomBytes(2 << 20)
	want := fmt.Sprintf("%d %x", len(data), sha256.Sum256(data))
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		start := func(t *testing.T, bind string) *Server {
			return Start(t, Options{App: "upload", Kind: kind, Bind: []string{bind}})
		}
		behindNginx(t, start, func(t *testing.T, nginx *Nginx, _ string) {
			browser := nginx.Browser(t, nginx.URL)
			if page := browser.PostBody("/", bytes.NewReader(data)).Want(t, 200); page.Body != want {
				t.Errorf("with a length: %q, want %q", page.Body, want)
			}
			chunked := io.MultiReader(bytes.NewReader(data))
			if page := browser.PostBody("/", chunked).Want(t, 200); page.Body != want {
				t.Errorf("chunked: %q, want %q", page.Body, want)
			}
		})
	})
}
