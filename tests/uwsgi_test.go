package tests

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// uwsgiPass is nginx's location for the uwsgi protocol: the uwsgi_params that nginx ships.
const uwsgiPass = `
      uwsgi_pass pyhost;
      uwsgi_param QUERY_STRING $query_string;
      uwsgi_param REQUEST_METHOD $request_method;
      uwsgi_param CONTENT_TYPE $content_type;
      uwsgi_param CONTENT_LENGTH $content_length;
      uwsgi_param REQUEST_URI $request_uri;
      uwsgi_param PATH_INFO $document_uri;
      uwsgi_param DOCUMENT_ROOT $document_root;
      uwsgi_param SERVER_PROTOCOL $server_protocol;
      uwsgi_param REQUEST_SCHEME $scheme;
      uwsgi_param HTTPS $https if_not_empty;
      uwsgi_param REMOTE_ADDR $remote_addr;
      uwsgi_param REMOTE_PORT $remote_port;
      uwsgi_param SERVER_PORT $server_port;
      uwsgi_param SERVER_NAME $server_name;
`

// uwsgiPacket is a packet of variables, written NAME=VALUE.
func uwsgiPacket(modifier1 byte, vars ...string) string {
	block := ""
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		block += littleEndian(len(name)) + name + littleEndian(len(value)) + value
	}
	return string([]byte{modifier1}) + littleEndian(len(block)) + "\x00" + block
}

func littleEndian(n int) string { return string([]byte{byte(n), byte(n >> 8)}) }

// behindUWSGI is behindNginx with uwsgi_pass.
func behindUWSGI(t *testing.T, options Options, test func(t *testing.T, server *Server, nginx *Nginx, base string)) {
	t.Helper()
	for _, name := range []string{"tcp", "unix"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := options
			options.Bind = []string{"uwsgi://127.0.0.1:0"}
			if name == "unix" {
				options.Bind = []string{"uwsgi+unix:" + shortDirectory(t) + "/s"}
			}
			server := Start(t, options)
			nginx := startNginx(t, server.Addresses[0], uwsgiPass)
			base := nginx.URL
			if name == "unix" {
				base = nginx.SecureURL
			}
			test(t, server, nginx, base)
		})
	}
}

func TestUWSGIPass(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		behindUWSGI(t, Options{App: "environ", Kind: kind}, func(t *testing.T, _ *Server, nginx *Nginx, base string) {
			scheme, _, _ := strings.Cut(base, ":")
			page := nginx.Browser(t, base).Get("/a%20b?c=d").Want(t, 200)
			for key, want := range map[string]string{
				"wsgi.url_scheme": scheme, "REMOTE_ADDR": "127.0.0.1", "PATH_INFO": "/a b", "QUERY_STRING": "c=d",
				"REQUEST_URI": "/a%20b?c=d", "RAW_URI": "/a%20b?c=d", "REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1",
				"REQUEST_SCHEME": scheme, "SCRIPT_NAME": "", "SERVER_PORT": base[strings.LastIndex(base, ":")+1:],
			} {
				if got := environOf(t, page, key); got != want {
					t.Errorf("%s is %q, want %q", key, got, want)
				}
			}
			if host := environOf(t, page, "HTTP_HOST"); scheme+"://"+host != base {
				t.Errorf("HTTP_HOST is %q", host)
			}
		})
	})
}

// A body in memory and one in a file, with a length and without: nginx collects it and tells its length.
func TestUWSGIUpload(t *testing.T) {
	t.Parallel()
	behindUWSGI(t, Options{App: "upload", Kind: gthreadKind}, func(t *testing.T, _ *Server, nginx *Nginx, base string) {
		browser := nginx.Browser(t, base)
		for _, size := range []int{0, 5, 100 << 10, 2 << 20} {
			data := randomBytes(size)
			want := fmt.Sprintf("%d %x", len(data), sha256.Sum256(data))
			if page := browser.PostBody("/", bytes.NewReader(data)).Want(t, 200); page.Body != want {
				t.Errorf("%d bytes: %q, want %q", size, page.Body, want)
			}
			unmeasured := io.MultiReader(bytes.NewReader(data))
			if page := browser.PostBody("/", unmeasured).Want(t, 200); page.Body != want {
				t.Errorf("%d bytes without a length: %q, want %q", size, page.Body, want)
			}
		}
	})
}

// A head of nearly 64 KiB is what uWSGI's buffer of 4096 bytes is infamous for.
func TestUWSGILargePacket(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "environ", Bind: []string{"uwsgi://127.0.0.1:0"}})
	large := strings.Repeat("x", 65000)
	packet := uwsgiPacket(0, "REQUEST_METHOD=GET", "REQUEST_URI=/", "PATH_INFO=/", "HTTP_COOKIE="+large)
	for _, size := range []int{len(packet), 9999} {
		c := server.Dial()
		c.SendSplit(packet, size)
		response := c.Next("GET")
		if response.Status != 200 || !strings.Contains(response.Body, large) {
			t.Errorf("in pieces of %d bytes: status %d, %d bytes", size, response.Status, len(response.Body))
		}
		c.ExpectClosed()
	}
}

// The same server speaks HTTP on one address and uwsgi on others.
func TestUWSGIBesideHTTP(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "environ", Bind: []string{
		"unix:" + shortDirectory(t) + "/h", "uwsgi://127.0.0.1:0", "uwsgi+unix:" + shortDirectory(t) + "/s",
	}, Args: []string{"--access-logfile", "-", "--access-logformat", "%(h)s %(r)s %(s)s %({x-a}i)s"}})
	if status := server.Get("/").Status; status != 200 {
		t.Errorf("over HTTP: status %d", status)
	}
	for _, address := range server.Addresses[1:] {
		c := server.DialTo(address)
		c.Send(uwsgiPacket(30, "REQUEST_METHOD=POST", "REQUEST_URI=/app/x", "SCRIPT_NAME=/app", "PATH_INFO=/app/x",
			"HTTP_HOST=h", "HTTP_X_A=1", "HTTP_X_A=2", "CONTENT_LENGTH=3", "REMOTE_ADDR=203.0.113.1", "UWSGI_FILE=/evil",
			"wsgi.input=evil", "SERVER_PROTOCOL=HTTP/1.1"), "abc")
		report := &environReport{}
		c.Next("POST").JSON(t, report)
		c.ExpectClosed()
		report.wantString(t, "SCRIPT_NAME", "/app")
		report.wantString(t, "PATH_INFO", "/x")
		report.wantString(t, "HTTP_X_A", "1,2")
		report.wantString(t, "CONTENT_LENGTH", "3")
		report.wantString(t, "REMOTE_ADDR", "203.0.113.1")
		report.wantAbsent(t, "UWSGI_FILE")
		report.want(t, "wsgi.input", "BytesIO", false)
	}
	eventually(t, "both requests are in the access log", func() bool {
		return strings.Count(server.Output(), "203.0.113.1 POST /app/x HTTP/1.1 200 1\n") == 2
	})
}

func TestUWSGIPing(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "hello", Bind: []string{"127.0.0.1:0"}, Args: []string{"--protocol", "uwsgi"}})
	for _, size := range []int{4, 1} {
		// What a request had, its length above all, is not the ping's.
		server.Do(uwsgiPacket(0, "REQUEST_METHOD=POST", "PATH_INFO=/", "CONTENT_LENGTH=5")+"12345").wantStatus(t, 200)
		c := server.Dial()
		c.SendSplit("\x64\x00\x00\x00", size)
		if pong := c.ReadRaw(4); pong != "\x64\x00\x00\x01" {
			t.Errorf("the answer to a ping is %q", pong)
		}
		c.ExpectClosed()
	}
}

// The access log tells a request that is refused, not the bytes of its packet.
func TestUWSGIRefusalsInTheLog(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "hello", Bind: []string{"uwsgi://127.0.0.1:0"}, Args: []string{"--body-timeout", "1",
		"--limit-request-body", "100", "--access-logfile", "-", "--access-logformat", "%(r)s %(s)s"}})
	server.Expect(`Invalid request from ip=127.0.0.1: body larger than limit_request_body \(413\)`)
	server.Expect(`Invalid request from ip=127.0.0.1: request body stood still for too long \(body_timeout\) \(408\)`)
	for length, status := range map[string]int{"101": 413, "100": 408} {
		server.Do(uwsgiPacket(0, "REQUEST_METHOD=POST", "REQUEST_URI=/"+length, "SERVER_PROTOCOL=HTTP/1.1",
			"CONTENT_LENGTH="+length)).wantStatus(t, status)
	}
	eventually(t, "both are told", func() bool {
		lines := strings.Split(strings.TrimSpace(server.Output()), "\n")
		slices.Sort(lines)
		return slices.Equal(lines, []string{"POST /100 HTTP/1.1 408", "POST /101 HTTP/1.1 413"})
	})
}

func TestUWSGIRefuses(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "hello", Bind: []string{"uwsgi://127.0.0.1:0"},
		Args: []string{"--uwsgi-buffer-size", "4096"}})
	cut := uwsgiPacket(0, "REQUEST_METHOD=GET")
	tests := []struct{ name, packet, log string }{
		{"HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", `modifier1 is 71 \(G\): does the client speak HTTP\? \(400\)`},
		{"eval", "\x16\x00\x00\x00", `modifier1 is 22, only 0, 30 and 100 are served`},
		{"oversize", uwsgiPacket(0, "REQUEST_METHOD=GET", "HTTP_COOKIE="+strings.Repeat("x", 4096)),
			`packet of 4[0-9]{3} bytes, the limit \(uwsgi_buffer_size\) is 4096 \(400\)`},
		{"overrun", "\x00" + string([]byte{cut[1] - 1}) + cut[2:], `variable 1 overruns the packet of 20 bytes`},
		{"no method", uwsgiPacket(0, "REQUEST_URI=/"), `REQUEST_METHOD is missing`},
		{"length", uwsgiPacket(0, "REQUEST_METHOD=GET", "CONTENT_LENGTH=x"), `CONTENT_LENGTH is not a decimal number`},
	}
	for _, tt := range tests {
		server.Expect(`Invalid request from ip=127\.0\.0\.1: uwsgi: ` + tt.log)
		for _, size := range []int{len(tt.packet), 1} {
			c := server.Dial()
			if tt.name == "oversize" {
				size = min(size, 64) // byte by byte takes too long
			}
			c.SendSplit(tt.packet, size)
			if response := c.Next("GET"); response.Status != 400 {
				t.Errorf("%s: status %d", tt.name, response.Status)
			}
			c.ExpectClosed()
		}
	}
	if status := server.Do(uwsgiPacket(0, "REQUEST_METHOD=GET", "PATH_INFO=/")).Status; status != 200 {
		t.Errorf("afterwards: status %d", status)
	}
}

// A body that stops is no request.
func TestUWSGICutBody(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "upload", Bind: []string{"uwsgi://127.0.0.1:0"}})
	c := server.Dial()
	c.Send(uwsgiPacket(0, "REQUEST_METHOD=POST", "PATH_INFO=/", "CONTENT_LENGTH=10"), "abc")
	c.CloseWrite()
	c.ExpectClosed()
	server.WaitLog(`left in the middle of its request: POST .*3 bytes of the body`, 1)
}

func TestUWSGIAllowFrom(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "hello", Bind: []string{
		"uwsgi+unix:" + shortDirectory(t) + "/s", "uwsgi://127.0.0.1:0"}, Args: []string{"--uwsgi-allow-from", "10.0.0.0/8"}})
	packet := uwsgiPacket(0, "REQUEST_METHOD=GET", "PATH_INFO=/")
	server.Expect(`Connection of ip=127\.0\.0\.1 refused: it is not in uwsgi_allow_ips \(--uwsgi-allow-from\) \(403\)`)
	c := server.DialTo(server.Addresses[1])
	c.Send(packet)
	if status := c.Next("GET").Status; status != 403 {
		t.Errorf("status %d", status)
	}
	c.ExpectClosed()
	c = server.Dial()
	if status := c.Roundtrip(packet).Status; status != 200 {
		t.Errorf("over the unix socket: status %d", status)
	}

	allowed := Start(t, Options{App: "hello", Bind: []string{"uwsgi://127.0.0.1:0"},
		Args: []string{"--uwsgi-allow-from", "127.0.0.0/8"}})
	if status := allowed.Do(packet).Status; status != 200 {
		t.Errorf("from an allowed network: status %d", status)
	}
}
