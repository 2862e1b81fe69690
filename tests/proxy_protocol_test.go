package tests

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

const (
	proxyV1 = "PROXY TCP4 203.0.113.7 192.0.2.1 4660 443\r\n"
	proxyV2 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x14\xcb\x00\x71\x07\xc0\x00\x02\x01\x12\x34\x01\xbb" +
		"\x20\x00\x05\x01\x00\x00\x00\x00" // the client speaks TLS with the proxy
	proxyLocal = "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
)

// The facts of the header are those of every request of the connection, however the bytes come.
func TestProxyProtocol(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		server := Start(t, Options{App: "environ", Kind: kind, Args: []string{
			"--proxy-protocol", "--access-logfile", "-", "--access-logformat", "%(h)s %(s)s",
		}})
		for header, scheme := range map[string]string{proxyV1: "http", proxyV2: "https"} {
			for _, size := range []int{1000, len(header), 7, 1} {
				c := server.Dial()
				c.SendSplit(header+get("/one")+get("/two"), size)
				for _, path := range []string{"/one", "/two", "/three"} {
					if path == "/three" {
						c.Send(get(path))
					}
					e := &environReport{}
					c.Next("GET").JSON(t, e)
					for key, value := range map[string]string{
						"PATH_INFO": path, "REMOTE_ADDR": "203.0.113.7", "REMOTE_PORT": "4660", "PROXY_PROTOCOL": "TCP4",
						"PROXY_ADDR": "192.0.2.1", "PROXY_PORT": "443", "wsgi.url_scheme": scheme,
					} {
						e.wantString(t, key, value)
					}
				}
				c.Close()
			}
		}
		eventually(t, "the access log tells the client", func() bool {
			return strings.Count(server.Output(), "203.0.113.7 200\n") == 24
		})
	})
}

// The proxy's own connections, and those of a client that it does not know, keep their addresses; so do those without a
// header.
func TestProxyProtocolLocal(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "environ", Args: []string{"--proxy-protocol=auto"}})
	for _, header := range []string{proxyLocal, "PROXY UNKNOWN\r\n", ""} {
		e := &environReport{}
		server.Do(header+get("/")).JSON(t, e)
		e.wantString(t, "REMOTE_ADDR", "127.0.0.1")
		e.wantAbsent(t, "PROXY_PROTOCOL", "PROXY_ADDR", "PROXY_PORT")
	}
	c := server.Dial() // a health check that only connects
	c.CloseWrite()
	c.ExpectClosed()
}

// A proxy that passes bytes on cannot vouch for headers: the client must be trusted itself.
func TestProxyProtocolTrust(t *testing.T) {
	t.Parallel()
	request := "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\n\r\n"
	for client, want := range map[string]string{"203.0.113.7": "https", "203.0.114.7": "http"} {
		server := Start(t, Options{App: "environ", Args: []string{
			"--proxy-protocol", "v1", "--forwarded-allow-ips", "127.0.0.1,203.0.113.0/24",
		}})
		e := &environReport{}
		server.Do("PROXY TCP4 "+client+" 192.0.2.1 1 2\r\n"+request).JSON(t, e)
		e.wantString(t, "wsgi.url_scheme", want)
	}
}

func TestProxyProtocolRefuses(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "environ", Args: []string{"--proxy-protocol", "v1"}})
	for _, tt := range []struct{ header, log string }{
		{"PROXY TCP4 203.0.113.7 192.0.2.1 4660 65536\r\n", `PROXY header: the destination is no address`},
		{proxyV2, `PROXY header: version 2, but only version 1 is read`},
		{"PROXY " + strings.Repeat("x", 200), `PROXY header: .* within 107 bytes`},
	} {
		server.Expect(`Invalid request from ip=127\.0\.0\.1: ` + tt.log)
		for _, size := range []int{1000, 1} {
			c := server.Dial()
			c.SendSplit(tt.header+get("/"), size)
			if status := c.Next("GET").Status; status != 400 {
				t.Errorf("%.60q: status %d", tt.header, status)
			}
			c.ExpectClosed()
		}
	}
	c := server.Dial()
	c.Send("PROXY TCP4 203")
	c.CloseWrite()
	c.ExpectClosed()
	server.WaitLog(`left in the middle of its request: 14 bytes of a PROXY header`, 1)
}

// A header that stands still is late; nobody has left.
func TestProxyProtocolLate(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "hello", Args: []string{"--proxy-protocol", "--header-timeout", "1"}})
	server.Expect(`Invalid request from ip=127\.0\.0\.1: PROXY header not complete in time \(header_timeout\) \(408\)`)
	c := server.Dial()
	c.Send("PROXY TCP4 203")
	c.Next("GET").wantStatus(t, 408)
	c.ExpectClosed()
}

func TestProxyAllowFrom(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "environ", Args: []string{"--proxy-protocol", "--proxy-allow-from", "10.0.0.0/8"}})
	server.Expect(`PROXY header of ip=127\.0\.0\.1 refused: it is not in proxy_allow_ips`)
	for _, header := range []string{proxyV1, proxyV2} {
		c := server.Dial()
		if status := c.Roundtrip(header + get("/")).Status; status != 403 {
			t.Errorf("status %d", status)
		}
		c.ExpectClosed()
	}
	if status := server.Get("/").Status; status != 200 {
		t.Errorf("without a header: status %d", status)
	}

	unix := Start(t, Options{App: "environ", Bind: []string{"unix:" + shortDirectory(t) + "/s"}, Args: []string{
		"--proxy-protocol", "--proxy-allow-from", "10.0.0.0/8"}})
	e := &environReport{}
	unix.Do(proxyV1+get("/")).JSON(t, e)
	e.wantString(t, "REMOTE_ADDR", "203.0.113.7")
}

// Without the setting the header is no HTTP.
func TestProxyProtocolOff(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "environ"})
	server.Expect(`Invalid request from ip=127\.0\.0\.1`)
	if status := server.Do(proxyV1 + get("/")).Status; status != 400 {
		t.Errorf("status %d", status)
	}
}

func TestProxyProtocolBehindNginx(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "environ", Kind: gthreadKind, Args: []string{"--proxy-protocol"}})
	nginx := startStreamNginx(t, server.Addresses[0])
	browser := nginx.Browser(t, nginx.URL)
	for range 3 {
		page := browser.Get("/").Want(t, 200)
		if addr := environOf(t, page, "PROXY_ADDR"); addr != "127.0.0.1" {
			t.Errorf("PROXY_ADDR is %q", addr)
		}
		if port := environOf(t, page, "PROXY_PORT"); !strings.HasSuffix(nginx.URL, ":"+port) {
			t.Errorf("PROXY_PORT is %q behind %s", port, nginx.URL)
		}
	}
}

// curl sends a header of version 1 itself.
func TestProxyProtocolCurl(t *testing.T) {
	t.Parallel()
	curl := tool(t, "curl")
	server := Start(t, Options{App: "environ", Args: []string{"--proxy-protocol", "v1"}})
	output, err := exec.Command(curl, "-sS", "--haproxy-protocol", "http://"+server.Addresses[0]+"/").Output()
	if err != nil {
		t.Fatal(err)
	}
	e := &environReport{}
	if err := json.Unmarshal(output, e); err != nil {
		t.Fatalf("%v in %.200s", err, output)
	}
	_, port, _ := strings.Cut(server.Addresses[0], ":")
	e.wantString(t, "PROXY_PORT", port)
	e.wantString(t, "PROXY_PROTOCOL", "TCP4")
	if !e.has("REMOTE_PORT") {
		t.Error(fmt.Sprint("no REMOTE_PORT in ", string(output)))
	}
}
