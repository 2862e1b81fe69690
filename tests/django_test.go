package tests

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// startDjango makes a database with the user admin and the sample documents, and serves the project.
func startDjango(t *testing.T, kind Kind, bind string, further ...string) *Server {
	t.Helper()
	project, err := filepath.Abs(filepath.Join("..", "pyapps", "django_project"))
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	environment := []string{"DJANGO_DATA_DIR=" + data}
	for _, arguments := range [][]string{{"migrate", "--verbosity", "0"}, {"demo"}} {
		command := exec.Command(interpreter, append([]string{"manage.py"}, arguments...)...)
		command.Dir = project
		command.Env = append(baseEnvironment(data), environment...)
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("manage.py %s: %v\n%s", arguments[0], err, output)
		}
	}
	arguments := []string{"--python", interpreter, "--chdir", project, "-w", "2", "--bind", bind}
	arguments = append(append(arguments, kind.Args...), further...)
	return Start(t, Options{Quiet: true, Workers: 2, Kind: kind, Env: environment,
		Args: append(arguments, "mysite.wsgi:application")})
}

// TestDjango runs a real project the way it is deployed: both worker kinds, two workers, nginx with and without TLS.
func TestDjango(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		start := func(t *testing.T, bind string) *Server { return startDjango(t, kind, bind) }
		behindNginx(t, start, func(t *testing.T, nginx *Nginx, base string) {
			t.Run("admin", func(t *testing.T) { checkDjangoAdmin(t, nginx.Browser(t, base)) })
			t.Run("upload", func(t *testing.T) { checkDjangoUpload(t, nginx.Browser(t, base)) })
			t.Run("bodies", func(t *testing.T) { checkDjangoBodies(t, nginx.Browser(t, base)) })
			t.Run("request", func(t *testing.T) { checkDjangoRequest(t, nginx.Browser(t, base), kind) })
			t.Run("writes at once", func(t *testing.T) { checkDjangoWritesAtOnce(t, nginx.Browser(t, base)) })
		})
	})
}

const djangoToken = `name="csrfmiddlewaretoken" value="([^"]+)"`

// withToken adds the CSRF token of the page that holds the form.
func withToken(t *testing.T, page *Page, form url.Values) url.Values {
	t.Helper()
	form.Set("csrfmiddlewaretoken", page.Find(t, djangoToken))
	return form
}

func logIntoAdmin(t *testing.T, browser *Browser) {
	t.Helper()
	page := browser.Get("/admin/").Want(t, 200, "Log in")
	form := withToken(t, page, url.Values{"username": {"admin"}, "password": {"admin"}, "next": {"/admin/"}})
	browser.Post("/admin/login/?next=/admin/", form).Want(t, 200, "Site administration", "Documents")
}

func checkDjangoAdmin(t *testing.T, browser *Browser) {
	t.Helper()
	browser.Post("/admin/login/", url.Values{"username": {"admin"}, "password": {"admin"}}).Want(t, 403)
	logIntoAdmin(t, browser)
	browser.Get("/admin/documents/document/").Want(t, 200, "Welcome", "Shopping list")

	form := withToken(t, browser.Get("/admin/documents/document/add/"), url.Values{"title": {"Größe & <Maß>"}})
	browser.PostFile("/admin/documents/document/add/", form, "file", "größe.txt", []byte("20 Fuß\n")).
		Want(t, 200, "was added successfully", "Größe &amp; &lt;Maß&gt;")
	path := browser.Get("/").Find(t, `href="(/documents/\d+/file)">Größe`)
	page := browser.Get(path).Want(t, 200)
	if page.Body != "20 Fuß\n" {
		t.Errorf("the file came back as %q", page.Body)
	}

	browser.Post("/admin/logout/", withToken(t, browser.Get("/admin/"), url.Values{})).Want(t, 200)
	browser.Get("/admin/documents/document/").Want(t, 200, "Log in")
}

// A file that Django keeps in a temporary file while it arrives, and hands back through wsgi.file_wrapper.
func checkDjangoUpload(t *testing.T, browser *Browser) {
	t.Helper()
	data := randomBytes(3 << 20)
	form := withToken(t, browser.Get("/upload/"), url.Values{"title": {"large"}})
	browser.PostFile("/upload/", form, "file", "large.bin", data).Want(t, 200, "large</a> (3145728 bytes)")
	page := browser.Get(browser.Get("/").Find(t, `href="([^"]+)">large`)).Want(t, 200)
	if !bytes.Equal([]byte(page.Body), data) {
		t.Errorf("%d bytes came back, SHA-256 %x", len(page.Body), sha256.Sum256([]byte(page.Body)))
	}
	browser.Post("/upload/", withToken(t, browser.Get("/upload/"), url.Values{})).
		Want(t, 200, "This field is required.")
}

func checkDjangoBodies(t *testing.T, browser *Browser) {
	t.Helper()
	data := randomBytes(2 << 20)
	page := browser.PostBody("/checksum/", bytes.NewReader(data)).Want(t, 200)
	var sum struct {
		Length int
		SHA256 string
	}
	if err := json.Unmarshal([]byte(page.Body), &sum); err != nil {
		t.Fatalf("%v in %q", err, page.Body)
	}
	if want := fmt.Sprintf("%x", sha256.Sum256(data)); sum.Length != len(data) || sum.SHA256 != want {
		t.Errorf("Django read %d bytes with SHA-256 %s, want %d with %s", sum.Length, sum.SHA256, len(data), want)
	}

	page = browser.Get("/download/").Want(t, 200)
	want := page.Header.Get("X-Sha256")
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(page.Body))); len(page.Body) != 5<<20 || got != want {
		t.Errorf("the download has %d bytes with SHA-256 %s, want %d with %s", len(page.Body), got, 5<<20, want)
	}
	checkStream(t, browser.Get("/stream/?lines=5000"), 5000)
}

// checkStream demands the numbered lines that the streaming views produce.
func checkStream(t *testing.T, page *Page, lines int) {
	t.Helper()
	var want strings.Builder
	for n := range lines {
		fmt.Fprintf(&want, "line %d\n", n)
	}
	if page.Want(t, 200); page.Body != want.String() {
		t.Errorf("the stream has %d bytes, want %d", len(page.Body), want.Len())
	}
	if length := page.Header.Get("Content-Length"); length != "" {
		t.Errorf("the stream has Content-Length %s", length)
	}
}

func checkDjangoRequest(t *testing.T, browser *Browser, kind Kind) {
	t.Helper()
	page := browser.Get("/request.json?q=%20caf%C3%A9").Want(t, 200)
	var request struct {
		Method, Path, Query, Scheme, URL string
		Multithread, Multiprocess        bool
	}
	if err := json.Unmarshal([]byte(page.Body), &request); err != nil {
		t.Fatalf("%v in %q", err, page.Body)
	}
	scheme, _, _ := strings.Cut(browser.base, ":")
	want := request
	want.Method, want.Path, want.Query, want.Scheme = "GET", "/request.json", "q=%20caf%C3%A9", scheme
	want.URL = browser.base + "/request.json?q=%20caf%C3%A9"
	want.Multithread, want.Multiprocess = kind.Threads > 1, true
	if request != want {
		t.Errorf("Django sees %+v, want %+v", request, want)
	}
	if secure := browser.Get("/secure/").Body; (secure == "secure") != (scheme == "https") {
		t.Errorf("over %s request.is_secure() says %q", scheme, secure)
	}
}

// Workers and their threads write to one SQLite database at once; nothing gets lost.
func checkDjangoWritesAtOnce(t *testing.T, browser *Browser) {
	t.Helper()
	const clients, each = 6, 5
	token := browser.Get("/upload/").Find(t, djangoToken)
	failures := make(chan error, clients)
	var group sync.WaitGroup
	for client := range clients {
		group.Go(func() {
			var failed error
			for n := range each {
				title := fmt.Sprintf("document %d of client %d", n, client)
				form := url.Values{"title": {title}, "csrfmiddlewaretoken": {token}}
				page, err := browser.try("POST", "/upload/", "application/x-www-form-urlencoded",
					strings.NewReader(form.Encode()))
				if err == nil && (page.Status != 200 || !strings.Contains(page.Body, title)) {
					err = fmt.Errorf("%s: status %d", title, page.Status)
				}
				failed = errors.Join(failed, err)
			}
			failures <- failed
		})
	}
	group.Wait()
	for range clients {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	if count := strings.Count(browser.Get("/").Body, "of client"); count != clients*each {
		t.Errorf("%d documents were written, want %d", count, clients*each)
	}
}
