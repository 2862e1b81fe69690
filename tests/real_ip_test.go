package tests

import (
	"regexp"
	"strings"
	"testing"
)

func TestRealIP(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "environ", Args: []string{"--real-ip", "--forwarded-allow-ips", "127.0.0.1,10.0.0.0/8",
		"--access-logfile", "-", "--access-logformat", "%(h)s"}})
	e := &environReport{}
	server.Do("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4, 203.0.113.7\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n").
		JSON(t, e)
	e.wantString(t, "REMOTE_ADDR", "203.0.113.7")
	e.wantString(t, "HTTP_X_FORWARDED_FOR", "1.2.3.4, 203.0.113.7,10.0.0.1")
	e.wantAbsent(t, "REMOTE_PORT")
	eventually(t, "the access log tells the client", func() bool { return server.Output() == "203.0.113.7\n" })
}

// nginx appends the client's address to what the client claims.
func TestRealIPBehindNginx(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T, bind string) *Server {
		return Start(t, Options{App: "environ", Bind: []string{bind}, Args: []string{"--real-ip=X-Forwarded-For",
			"--forwarded-allow-ips", "192.0.2.1,127.0.0.2"}})
	}
	behindNginx(t, start, func(t *testing.T, nginx *Nginx, base string) {
		want := "127.0.0.1" // nginx's own over TCP, where it is not trusted, and its client's over the unix socket
		if addr := environOf(t, nginx.Browser(t, base).Get("/"), "REMOTE_ADDR"); addr != want {
			t.Errorf("REMOTE_ADDR is %q, want %q", addr, want)
		}
	})
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	server := Start(t, Options{App: "exceptions", Args: []string{"--request-id-header", "X-Request-ID",
		"--access-logfile", "-", "--access-logformat", "%({x-request-id}i)s"}})
	server.Expect(`Error handling request GET /raise \[abc-123\]\n`)
	server.Do("GET /raise HTTP/1.1\r\nHost: x\r\nX-Request-ID: abc-123\r\n\r\n")
	server.Expect(`Error handling request GET /raise \[[0-9a-f]{32}\]\n`)
	server.Do("GET /raise HTTP/1.1\r\nHost: x\r\nX-Request-ID: not an ID\r\n\r\n")
	eventually(t, "both are in the access log", func() bool {
		return regexp.MustCompile(`^abc-123\n[0-9a-f]{32}\n$`).MatchString(server.Output())
	})

	other := Start(t, Options{App: "environ", Args: []string{"--request-id-header", "X-Trace"}})
	seen := map[string]bool{}
	for range 5 {
		e := &environReport{}
		other.Get("/").JSON(t, e)
		id := strings.Trim(string(e.Environ["HTTP_X_TRACE"][1]), `"`)
		if len(id) != 32 || seen[id] {
			t.Errorf("the ID %q, after %v", id, seen)
		}
		seen[id] = true
	}
}
