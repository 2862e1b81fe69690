package tests

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// http2Client speaks HTTP/2 only, over one connection.
func http2Client(t *testing.T, authority *Authority, server *Server) *http.Client {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: authority.Pool}, Protocols: new(http.Protocols), MaxConnsPerHost: 1,
	}
	transport.Protocols.SetHTTP2(true)
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", server.Addresses[0])
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// h2 sends one request, "METHOD path" or a path, and returns the response with its body read.
func h2(t *testing.T, client *http.Client, what string, body io.Reader, headers ...string) (*http.Response, string) {
	t.Helper()
	method, path, ok := strings.Cut(what, " ")
	if !ok {
		method, path = "GET", what
	}
	request, err := http.NewRequest(method, "https://example.org"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Add(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return response, string(text)
}

func TestHTTP2(t *testing.T) {
	authority := NewAuthority(t)
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		server := startTLS(t, authority, Options{App: "environ", Kind: kind, Args: []string{"--http-protocols", "h2,h1",
			"--access-logfile", "-", "--access-logformat", "%(h)s %(r)s %(s)s"}})
		client := http2Client(t, authority, server)
		for range 3 {
			response, body := h2(t, client, "/a%20b?c=d", nil, "Cookie: a=1", "Cookie: b=2", "X-A: 1", "X-A: 2")
			if response.StatusCode != 200 || response.ProtoMajor != 2 || response.Header.Get("Server") == "" {
				t.Errorf("%+v", response)
			}
			e := &environReport{}
			if err := json.Unmarshal([]byte(body), e); err != nil {
				t.Fatal(err)
			}
			for key, value := range map[string]string{
				"PATH_INFO": "/a b", "QUERY_STRING": "c=d", "SERVER_PROTOCOL": "HTTP/2.0", "wsgi.url_scheme": "https",
				"HTTP_HOST": "example.org", "HTTP_COOKIE": "a=1; b=2", "HTTP_X_A": "1,2", "REMOTE_ADDR": "127.0.0.1",
				"SSL_TLS_SNI": "example.org", "HTTPS": "on", "RAW_URI": "/a%20b?c=d",
			} {
				e.wantString(t, key, value)
			}
		}
		eventually(t, "the access log tells the version", func() bool {
			return strings.Count(server.Output(), "127.0.0.1 GET /a%20b?c=d HTTP/2.0 200\n") == 3
		})
		// HTTP/1.1 beside it
		e := &environReport{}
		server.DialTLS(&tls.Config{RootCAs: authority.Pool}).Roundtrip(get("/")).JSON(t, e)
		e.wantString(t, "SERVER_PROTOCOL", "HTTP/1.1")
	})
}

// Streams of one connection run side by side in the threads of the worker.
func TestHTTP2StreamsAreConcurrent(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	server := startTLS(t, authority, Options{App: "tls", Kind: gthreadKind, Args: []string{"--http-protocols", "h1,h2"}})
	client := http2Client(t, authority, server)
	h2(t, client, "/1", nil) // the connection is there
	var streams sync.WaitGroup
	for range 3 {
		streams.Go(func() {
			response, err := client.Get("https://example.org/together")
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			if body, err := io.ReadAll(response.Body); err != nil || string(body) != "together" {
				t.Errorf("%d %q, %v", response.StatusCode, body, err)
			}
		})
	}
	streams.Wait()
}

func TestHTTP2Bodies(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	server := startTLS(t, authority, Options{App: "upload", Kind: gthreadKind, Args: []string{"--http-protocols", "h2"}})
	client := http2Client(t, authority, server)
	for _, size := range []int{1, 70000, 3 << 20} {
		data := randomBytes(size)
		want := fmt.Sprintf("%d %x", size, sha256.Sum256(data))
		if _, body := h2(t, client, "POST /", bytes.NewReader(data)); body != want {
			t.Errorf("with a length: %q, want %q", body, want)
		}
		if _, body := h2(t, client, "POST /", io.MultiReader(bytes.NewReader(data))); body != want {
			t.Errorf("without: %q, want %q", body, want)
		}
	}
	// Who cannot speak HTTP/2 is turned away here.
	c := server.DialTLS(&tls.Config{RootCAs: authority.Pool})
	io.WriteString(c.Conn, get("/"))
	if response, err := readResponse(c.reader, "GET"); err == nil {
		t.Errorf("HTTP/1.1: status %d", response.Status)
	}
	server.WaitLog("the client does not speak HTTP/2", 1)
}

// A response of any size arrives whole, one that is broken off shows, and HEAD, early hints and refusals work.
func TestHTTP2Responses(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	server := startTLS(t, authority, Options{App: "tls", Kind: syncKind, Args: []string{"--http-protocols", "h2,h1"}})
	client := http2Client(t, authority, server)
	for _, size := range []string{"0", "1", "100000", "20000000"} {
		response, body := h2(t, client, "/"+size, nil)
		if fmt.Sprint(len(body)) != size || fmt.Sprint(response.ContentLength) != size {
			t.Errorf("%s bytes: got %d of %d", size, len(body), response.ContentLength)
		}
	}
	if response, body := h2(t, client, "HEAD /100", nil); body != "" || response.ContentLength != 100 {
		t.Errorf("HEAD: %q, %d", body, response.ContentLength)
	}
	server.Expect("RuntimeError: broken off")
	response, err := client.Get("https://example.org/cut")
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(response.Body); err == nil || string(body) != "begun" {
		t.Errorf("a cut body is %q, %v", body, err)
	}
	response.Body.Close()
	server.Expect(`Invalid request from ip=127\.0\.0\.1: .* \(4[13][41]\)`)
	if response, _ := h2(t, client, "/"+strings.Repeat("1", 5000), nil); response.StatusCode != 414 {
		t.Errorf("a long target: status %d", response.StatusCode)
	}
	if _, body := h2(t, client, "/3", nil); body != "xxx" {
		t.Errorf("afterwards: %q", body)
	}
}

func TestHTTP2EarlyHints(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	server := startTLS(t, authority, Options{App: "early_hints", Args: []string{"--http-protocols", "h2"}})
	client := http2Client(t, authority, server)
	hints := make(chan string, 8)
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		Got1xxResponse: func(status int, header textproto.MIMEHeader) error {
			hints <- fmt.Sprint(status, " ", header.Get("Link"))
			return nil
		},
	})
	request, err := http.NewRequestWithContext(ctx, "GET", "https://example.org/", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if hint := <-hints; !strings.HasPrefix(hint, "103 <") || response.StatusCode != 200 {
		t.Errorf("the hint is %q, then %d", hint, response.StatusCode)
	}
}

// A stream that the client resets is a client that is gone; the connection goes on.
func TestHTTP2Reset(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	server := startTLS(t, authority, Options{App: "tls", Kind: syncKind, Args: []string{"--http-protocols", "h2"}})
	client := http2Client(t, authority, server)
	for range 5 {
		ctx, cancel := context.WithCancel(context.Background())
		request, err := http.NewRequestWithContext(ctx, "GET", "https://example.org/50000000", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(response.Body, make([]byte, 1000))
		cancel()
		response.Body.Close()
	}
	if _, body := h2(t, client, "/2", nil); body != "xx" {
		t.Errorf("afterwards: %q", body)
	}
}

// At a stop the streams that are open are finished, and the client is told to open no more.
func TestHTTP2Drain(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	server := startTLS(t, authority, Options{App: "tls", Kind: gthreadKind, Args: []string{"--http-protocols", "h2",
		"--keep-alive", "60"}})
	client := http2Client(t, authority, server)
	response, err := client.Get("https://example.org/30000000")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	server.Signal(syscall.SIGTERM)
	body, err := io.ReadAll(response.Body)
	if err != nil || len(body) != 30000000 {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	began := time.Now()
	server.WaitExit(0)
	if took := time.Since(began); took > patience/2 {
		t.Errorf("the stop took %v after the last byte", took)
	}
}

func TestHTTP2Curl(t *testing.T) {
	t.Parallel()
	curl := tool(t, "curl")
	if version, _ := exec.Command(curl, "--version").Output(); !bytes.Contains(version, []byte("HTTP2")) {
		t.Skip("curl has no HTTP/2")
	}
	authority := NewAuthority(t)
	server := startTLS(t, authority, Options{App: "upload", Args: []string{"--http-protocols", "h2,h1",
		"--static", "/static=" + files(t, map[string]string{"a.txt": "0123456789"})}})
	base := "https://" + server.Addresses[0]
	run := func(args ...string) string {
		t.Helper()
		output, err := exec.Command(curl, append([]string{"-sS", "--http2", "--cacert", authority.File}, args...)...).Output()
		if err != nil {
			t.Errorf("curl %q: %v", args, err)
		}
		return string(output)
	}
	want := fmt.Sprintf("3 %x 2", sha256.Sum256([]byte("abc")))
	if got := run("-w", " %{http_version}", "-d", "abc", base+"/"); got != want {
		t.Errorf("a POST: %q", got)
	}
	if got := run("-r", "2-4", base+"/static/a.txt"); got != "234" {
		t.Errorf("a range: %q", got)
	}
	if got := run("-H", "Expect: 100-continue", "-d", "abc", base+"/"); !strings.HasPrefix(got, "3 ") {
		t.Errorf("100-continue: %q", got)
	}
}
