package tests

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"syscall"
	"testing"
)

// A client that is still taking its response when its worker is told to leave gets the next one, too: the response has
// left the worker, which would otherwise take the connection for one that has long been silent.
func TestReloadWhileClientsTakeTheirResponses(t *testing.T) {
	authority := NewAuthority(t)
	certificate, key := authority.Issue("example.org")
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		const size = 1 << 20 // the kernels' buffers take it, the client's alone does not
		code := newRelease(t)
		code.write(fmt.Sprintf("VERSION = 'x' * %d", size))
		s := Start(t, Options{App: "version", Dir: code.dir, Kind: kind,
			Bind: []string{"http://127.0.0.1:0", "https://127.0.0.1:0"},
			Args: []string{"--certfile", certificate, "--keyfile", key, "--keep-alive", "30"}})
		slow := map[string]*Conn{}
		for i, name := range []string{"plain", "TLS"} {
			c := s.DialTo(s.Addresses[i])
			if name == "TLS" {
				secure := tls.Client(c.Conn, &tls.Config{RootCAs: authority.Pool, ServerName: "example.org"})
				c = &Conn{t: t, Conn: secure, reader: bufio.NewReader(secure)}
			}
			c.Send(get("/"))
			c.reader.Peek(1)
			slow[name] = c
		}
		silent := s.Dial()
		silent.Roundtrip(get("/"))
		s.Signal(syscall.SIGHUP)
		silent.ExpectClosed()
		for name, c := range slow {
			if r := c.Next("GET"); r.Status != 200 || len(r.Body) < size {
				t.Errorf("%s: status %d, %d bytes", name, r.Status, len(r.Body))
			}
			c.Send(get("/"))
			r, err := readResponse(c.reader, "GET")
			if err != nil {
				t.Errorf("%s: the next request on the connection: %v", name, err)
			} else if r.Status != 200 || !r.Closes() {
				t.Errorf("%s: the next request on the connection: status %d, fields %v", name, r.Status, r.Fields)
			}
		}
		s.WaitLog("Reloaded: ", 1)
	})
}
