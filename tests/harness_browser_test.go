package tests

import (
	"bytes"
	"crypto/tls"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Browser is a user's HTTP client: it keeps cookies and connections, follows redirects and sends Referer.
type Browser struct {
	t       *testing.T
	client  *http.Client
	base    string
	referer string
}

// Page is what a Browser got in the end.
type Page struct {
	Status int
	Header http.Header
	Body   string
	URL    *url.URL // after redirects
}

// Browser opens the site, with base either URL or SecureURL.
func (n *Nginx) Browser(t *testing.T, base string) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: n.Authorities}}
	t.Cleanup(transport.CloseIdleConnections)
	return &Browser{t: t, base: base, client: &http.Client{Jar: jar, Transport: transport, Timeout: patience}}
}

// Get fetches a path.
func (b *Browser) Get(path string) *Page {
	b.t.Helper()
	return b.do(http.MethodGet, path, "", nil)
}

// Post sends an ordinary form.
func (b *Browser) Post(path string, form url.Values) *Page {
	b.t.Helper()
	return b.do(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// PostBody sends bytes; a body of a type that net/http does not know the length of goes out chunked.
func (b *Browser) PostBody(path string, body io.Reader) *Page {
	b.t.Helper()
	return b.do(http.MethodPost, path, "application/octet-stream", body)
}

// PostFile sends a multipart form with one file.
func (b *Browser) PostFile(path string, form url.Values, field, name string, content []byte) *Page {
	b.t.Helper()
	var body bytes.Buffer
	writer := multipart.NewWriter(&body)
	for key := range form {
		if err := writer.WriteField(key, form.Get(key)); err != nil {
			b.t.Fatal(err)
		}
	}
	part, err := writer.CreateFormFile(field, name)
	if err != nil {
		b.t.Fatal(err)
	}
	part.Write(content) // into memory: cannot fail
	writer.Close()
	return b.do(http.MethodPost, path, writer.FormDataContentType(), &body)
}

func (b *Browser) do(method, path, contentType string, body io.Reader) *Page {
	b.t.Helper()
	page, err := b.try(method, path, contentType, body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.referer = page.URL.String()
	return page
}

// try is do for goroutines that share one Browser; it changes nothing of it.
func (b *Browser) try(method, path, contentType string, body io.Reader) (*Page, error) {
	request, err := http.NewRequest(method, b.base+path, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if b.referer != "" {
		request.Header.Set("Referer", b.referer) // Django demands it over https
	}
	response, err := b.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	final := response.Request.URL
	return &Page{Status: response.StatusCode, Header: response.Header, Body: string(content), URL: final}, nil
}

// Want demands a status and that the body contains all of these texts.
func (p *Page) Want(t *testing.T, status int, texts ...string) *Page {
	t.Helper()
	if p.Status != status {
		t.Fatalf("%s: status %d, want %d; body %.500q", p.URL, p.Status, status, p.Body)
	}
	for _, text := range texts {
		if !strings.Contains(p.Body, text) {
			t.Errorf("%s: no %q in %.2000q", p.URL, text, p.Body)
		}
	}
	return p
}

// Find returns the first group of the pattern's first match in the body, with HTML's entities resolved.
func (p *Page) Find(t *testing.T, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(p.Body)
	if match == nil {
		t.Fatalf("%s: nothing matches %s in %.2000q", p.URL, pattern, p.Body)
	}
	return html.UnescapeString(match[1])
}
