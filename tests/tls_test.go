package tests

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startTLS starts a server with a certificate for example.org.
func startTLS(t *testing.T, authority *Authority, options Options) *Server {
	t.Helper()
	certificate, key := authority.Issue("example.org")
	options.Args = append([]string{"--certfile", certificate, "--keyfile", key}, options.Args...)
	return Start(t, options)
}

// tlsDial is a client that verifies the server, for example.org unless config says another name.
func (s *Server) tlsDial(config *tls.Config) (*Conn, error) {
	s.t.Helper()
	if config.ServerName == "" {
		config.ServerName = "example.org"
	}
	plain := s.Dial()
	secure := tls.Client(plain.Conn, config)
	if err := secure.Handshake(); err != nil {
		return nil, err
	}
	return &Conn{t: s.t, Conn: secure, reader: bufio.NewReader(secure)}, nil
}

// DialTLS is tlsDial that must succeed.
func (s *Server) DialTLS(config *tls.Config) *Conn {
	s.t.Helper()
	c, err := s.tlsDial(config)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// state of the encryption of a connection.
func (c *Conn) state() tls.ConnectionState { return c.Conn.(*tls.Conn).ConnectionState() }

func TestTLS(t *testing.T) {
	authority := NewAuthority(t)
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		server := startTLS(t, authority, Options{App: "environ", Kind: kind})
		if !strings.Contains(server.Log(), "Listening at: https://127.0.0.1:") {
			t.Error("the log does not tell the scheme")
		}
		for version, name := range map[uint16]string{tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3"} {
			c := server.DialTLS(&tls.Config{RootCAs: authority.Pool, MaxVersion: version})
			for _, path := range []string{"/one", "/two"} {
				e := &environReport{}
				c.Roundtrip(get(path)).JSON(t, e)
				for key, value := range map[string]string{
					"PATH_INFO": path, "wsgi.url_scheme": "https", "HTTPS": "on", "SSL_PROTOCOL": name, "REMOTE_ADDR": "127.0.0.1",
					"SSL_TLS_SNI": "example.org", "SSL_CIPHER": tls.CipherSuiteName(c.state().CipherSuite),
				} {
					e.wantString(t, key, value)
				}
				e.wantAbsent(t, "SSL_CLIENT_VERIFY", "SSL_CLIENT_S_DN")
			}
			c.Send(get("/three"), get("/four")) // pipelined, and then the orderly end
			c.Next("GET")
			c.Next("GET")
			c.CloseWrite()
			c.ExpectClosed() // close_notify: anything else is an error to crypto/tls
		}
	})
}

// What the application returns must arrive whole, whatever its size, also when the connection ends behind it; and
// uploads must.
func TestTLSBodies(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	server := startTLS(t, authority, Options{App: "upload", Kind: gthreadKind})
	for _, size := range []int{1, 100 << 10, 3 << 20} {
		data := randomBytes(size)
		c := server.DialTLS(&tls.Config{RootCAs: authority.Pool})
		go io.WriteString(c.Conn, post("/", string(data)))
		c.Next("POST").Want(t, 200, fmt.Sprintf("%d %x", size, sha256.Sum256(data)))
		c.Send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		c.Next("GET").Want(t, 200, fmt.Sprintf("0 %x", sha256.Sum256(nil)))
		c.ExpectClosed()
	}
}

func TestTLSLargeResponse(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	server := startTLS(t, authority, Options{App: "tls", Kind: syncKind})
	c := server.DialTLS(&tls.Config{RootCAs: authority.Pool})
	for range 2 {
		response := c.Roundtrip(get("/20000000"))
		if response.Status != 200 || len(response.Body) != 20000000 {
			t.Errorf("status %d, %d bytes", response.Status, len(response.Body))
		}
	}
	// A reader that does not read does not hold the only thread.
	stalled := server.DialTLS(&tls.Config{RootCAs: authority.Pool})
	stalled.Send(get("/20000000"))
	c.Roundtrip(get("/2")).Want(t, 200, "xx")
	// HTTP/1.0 without a length: the end of the connection is the end of the body, and a cut one must show.
	cut := server.DialTLS(&tls.Config{RootCAs: authority.Pool})
	server.Expect("RuntimeError: broken off")
	cut.Send("GET /cut HTTP/1.0\r\n\r\n")
	if body, err := io.ReadAll(cut.reader); err == nil || !strings.HasSuffix(string(body), "begun") {
		t.Errorf("a cut body ends in %.40q, %v", body, err)
	}
}

func TestTLSClientCertificates(t *testing.T) {
	t.Parallel()
	authority, stranger := NewAuthority(t), NewAuthority(t)
	identity := authority.Identity("alice")
	foreign := stranger.Identity("mallory")
	for reqs, wanted := range map[string][3]string{
		"1": {"NONE", "SUCCESS", ""}, // without a certificate, with one, with another authority's; "" = refused
		"2": {"", "SUCCESS", ""},
	} {
		server := startTLS(t, authority, Options{App: "environ", Args: []string{
			"--cert-reqs", reqs, "--ca-certs", authority.File}})
		for i, identities := range [][]tls.Certificate{nil, {identity}, {foreign}} {
			got := ""
			// GetClientCertificate sends what the server did not ask for, too.
			c, err := server.tlsDial(&tls.Config{RootCAs: authority.Pool,
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					if identities == nil {
						return &tls.Certificate{}, nil
					}
					return &identities[0], nil
				}})
			if err != nil {
				t.Fatal(err) // TLS 1.3: the client learns it when it reads
			}
			io.WriteString(c.Conn, get("/"))
			response, err := readResponse(c.reader, "GET")
			if err == nil {
				e := &environReport{}
				response.JSON(t, e)
				fmt.Sscanf(string(e.Environ["SSL_CLIENT_VERIFY"][1]), "%q", &got)
				if got == "SUCCESS" {
					e.wantString(t, "SSL_CLIENT_S_DN", "CN=alice,O=Test")
					e.wantString(t, "SSL_CLIENT_S_DN_CN", "alice")
					e.wantString(t, "SSL_CLIENT_I_DN", "CN=Test Authority")
					if !e.has("SSL_CLIENT_CERT") {
						t.Error("SSL_CLIENT_CERT is missing")
					}
					certificate, err := x509.ParseCertificate(identities[0].Certificate[0])
					if err != nil {
						t.Fatal(err)
					}
					e.wantString(t, "SSL_CLIENT_M_SERIAL", strings.ToUpper(hex.EncodeToString(certificate.SerialNumber.Bytes())))
				}
			}
			if got != wanted[i] {
				t.Errorf("--cert-reqs %s, client %d: %q (%v), want %q", reqs, i, got, err, wanted[i])
			}
		}
		server.WaitLog(`INFO\] TLS handshake with ip=127\.0\.0\.1 failed: `, 1)
	}
}

func TestTLSServerNames(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	args := []string{}
	for _, name := range []string{"shop.example.net", "*.example.com"} {
		certificate, key := authority.Issue(name)
		args = append(args, "--sni-cert", name+"="+certificate+","+key)
	}
	server := startTLS(t, authority, Options{App: "hello", Args: args})
	for name, want := range map[string]string{
		"example.org": "example.org", "shop.example.net": "shop.example.net", "SHOP.example.net": "shop.example.net",
		"a.example.com": "*.example.com", "a.b.example.com": "example.org", "example.com": "example.org",
		"unknown.example": "example.org",
	} {
		c := server.DialTLS(&tls.Config{ServerName: name, InsecureSkipVerify: true})
		if got := c.state().PeerCertificates[0].Subject.CommonName; got != want {
			t.Errorf("%s gets the certificate of %s, want %s", name, got, want)
		}
	}
	openssl := tool(t, "openssl")
	command := exec.Command(openssl, "s_client", "-connect", server.Addresses[0], "-servername", "shop.example.net",
		"-CAfile", authority.File, "-verify_return_error", "-quiet", "-ign_eof")
	command.Stdin = strings.NewReader("GET / HTTP/1.0\r\nHost: x\r\n\r\n")
	output, err := command.CombinedOutput()
	subject := strings.ReplaceAll(string(output), "CN = ", "CN=") // without spaces since OpenSSL 3.2
	if err != nil || !strings.Contains(subject, "CN=shop.example.net") ||
		!strings.Contains(string(output), "HTTP/1.1 200 OK") {
		t.Errorf("openssl s_client: %v\n%s", err, output)
	}
}

// Certificates are read again at HUP. What is open stays open; a broken certificate leaves the old one in place.
func TestTLSReload(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	server := startTLS(t, authority, Options{App: "hello", Args: []string{"--keep-alive", "30"}})
	serial := func() string {
		c := server.DialTLS(&tls.Config{RootCAs: authority.Pool})
		defer c.Close()
		return c.state().PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	certificate, _ := authority.Issue("example.org")
	server.Signal(syscall.SIGHUP)
	server.WaitLog("Reloaded: 1 new worker took over", 1)
	eventually(t, "the new certificate is in use", func() bool { return serial() != first })
	second := serial()

	if err := os.WriteFile(certificate, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	server.Expect(`Reload failed, the workers of before go on serving: invalid value for certfile: .*example\.org\.pem`)
	server.Signal(syscall.SIGHUP)
	server.WaitLog("Reload failed", 1)
	if now := serial(); now != second {
		t.Errorf("the certificate is %s, want %s", now, second)
	}
}

func TestTLSStartFailures(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	certificate, key := authority.Issue("example.org")
	_, other := authority.Issue("other.example")
	for _, tt := range []struct {
		args []string
		says string
	}{
		{[]string{"--certfile", "/nowhere.pem"}, `invalid value for certfile: open /nowhere\.pem: no such file`},
		{[]string{"--certfile", certificate}, `example\.org\.pem with the key in .*example\.org\.pem: .*private key`},
		{[]string{"--certfile", certificate, "--keyfile", other}, `private key does not match public key`},
		{[]string{"--certfile", certificate, "--keyfile", key, "--ciphers", "NULL"}, `ciphers: NULL: selects no cipher`},
		{[]string{"--certfile", certificate, "--keyfile", key, "--cert-reqs", "2", "--ca-certs", key},
			`ca_certs: .*example\.org\.key has no PEM certificate`},
	} {
		server := Start(t, Options{App: "hello", Cold: true, Args: tt.args})
		server.Expect(tt.says)
		server.WaitExit(1)
	}
}

func TestTLSSettings(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	server := startTLS(t, authority, Options{App: "hello", Args: []string{
		"--ciphers", "ECDHE+AESGCM:!AES128", "--ssl-version", "TLSv1_2"}})
	c := server.DialTLS(&tls.Config{RootCAs: authority.Pool})
	if state := c.state(); state.CipherSuite != tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 {
		t.Errorf("%s with %s", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite))
	}
	for _, config := range []*tls.Config{
		{MinVersion: tls.VersionTLS13}, {MaxVersion: tls.VersionTLS11},
		{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}},
	} {
		config.RootCAs = authority.Pool
		if _, err := server.tlsDial(config); err == nil {
			t.Errorf("a handshake with %+v succeeded", config)
		}
	}
}

// Plain HTTP, rubbish and silence on a TLS address.
func TestTLSStrangers(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	server := startTLS(t, authority, Options{App: "hello"})
	server.Expect(`Invalid request from ip=127\.0\.0\.1: plain HTTP on an address that speaks TLS \(400\)`)
	if status := server.Get("/").Status; status != 400 {
		t.Errorf("plain HTTP: status %d", status)
	}
	c := server.Dial()
	c.Send("\x80\x01\x02\x03\x04 rubbish")
	rest, err := io.ReadAll(c.reader)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) || bytes.Contains(rest, []byte("HTTP")) {
		t.Errorf("rubbish: %q, %v", rest, err)
	}
	server.WaitLog(`TLS handshake with ip=127\.0\.0\.1 failed`, 1)
	// A handshake that stands still does not hold the only thread.
	silent := server.Dial()
	silent.Send("\x16\x03\x01")
	server.DialTLS(&tls.Config{RootCAs: authority.Pool}).Roundtrip(get("/")).Want(t, 200, "Hello, world!\n")
}

// A client that ends its side without TLS's own end is done sending, or broken, as the setting says.
func TestTLSRaggedEnd(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	for argument, whole := range map[string]bool{"--suppress-ragged-eofs": true, "--suppress-ragged-eofs=false": false} {
		server := startTLS(t, authority, Options{App: "tls", Args: []string{argument}})
		c := server.DialTLS(&tls.Config{RootCAs: authority.Pool})
		c.Send(get("/20000000"))
		if err := c.Conn.(*tls.Conn).NetConn().(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		response, err := readResponse(c.reader, "GET")
		if got := err == nil && !response.Truncated && len(response.Body) == 20000000; got != whole {
			t.Errorf("%s: whole %v, %v", argument, got, err)
		}
	}
}

// A client can resume its session with any worker.
func TestTLSResumption(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	server := startTLS(t, authority, Options{App: "hello", Workers: 2, Args: []string{"--reuse-port"}})
	cache := tls.NewLRUClientSessionCache(1)
	for i := range 8 {
		c := server.DialTLS(&tls.Config{RootCAs: authority.Pool, ClientSessionCache: cache})
		c.Roundtrip(get("/")) // with TLS 1.3 the ticket comes with the response
		if resumed := c.state().DidResume; resumed != (i > 0) {
			t.Errorf("connection %d: resumed %v", i, resumed)
		}
		c.Close()
	}
}

// HTTP and TLS on two addresses of one server, PROXY in front of TLS, and curl.
func TestTLSBesideHTTP(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	server := startTLS(t, authority, Options{App: "environ", Bind: []string{
		"127.0.0.1:0", "http+unix:" + shortDirectory(t) + "/s"}, Args: []string{"--proxy-protocol"}})
	plain := server.DialTo(server.Addresses[1])
	e := &environReport{}
	plain.Roundtrip(get("/")).JSON(t, e)
	e.wantString(t, "wsgi.url_scheme", "http")
	e.wantAbsent(t, "HTTPS", "SSL_PROTOCOL")

	for _, size := range []int{1000, 3} {
		c := server.Dial()
		c.SendSplit(proxyV1, size)
		secure := tls.Client(c.Conn, &tls.Config{RootCAs: authority.Pool, ServerName: "example.org"})
		if _, err := io.WriteString(secure, get("/")); err != nil {
			t.Fatal(err)
		}
		response, err := readResponse(bufio.NewReader(secure), "GET")
		if err != nil {
			t.Fatal(err)
		}
		e := &environReport{}
		response.JSON(t, e)
		e.wantString(t, "REMOTE_ADDR", "203.0.113.7")
		e.wantString(t, "wsgi.url_scheme", "https")
	}
	curl := tool(t, "curl")
	output, err := exec.Command(curl, "-sS", "--cacert", authority.File, "--http1.1",
		"https://"+server.Addresses[0]+"/").Output()
	if err != nil || !strings.Contains(string(output), `"HTTPS": ["str", "on"]`) {
		t.Errorf("curl: %v, %.200s", err, output)
	}
}

// A stop finishes the request that runs, and the client gets all of it.
func TestTLSDrain(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	server := startTLS(t, authority, Options{App: "tls", Kind: gthreadKind})
	idle := server.DialTLS(&tls.Config{RootCAs: authority.Pool})
	idle.Roundtrip(get("/2")).Want(t, 200, "xx")
	slow := server.DialTLS(&tls.Config{RootCAs: authority.Pool})
	slow.Send(get("/5000000"))
	head := slow.ReadRaw(100)
	server.Signal(syscall.SIGTERM)
	idle.ExpectClosed()
	idle.Close()
	rest, err := io.ReadAll(slow.reader)
	if err != nil || len(head)+len(rest) < 5000000 {
		t.Errorf("%d bytes, %v", len(head)+len(rest), err)
	}
	slow.Close()
	began := time.Now()
	server.WaitExit(0)
	if took := time.Since(began); took > patience/2 {
		t.Errorf("the stop took %v after the last byte", took)
	}
}

// HAProxy checks a server with a PROXY header and a reset, again and again: that is no news.
func TestTLSHealthCheckIsNotLogged(t *testing.T) {
	t.Parallel()
	s := startTLS(t, NewAuthority(t), Options{App: "hello", Args: []string{"--proxy-protocol"}})
	worker := s.Workers()[0]
	idle := len(s.settledDescriptors(worker))
	c := s.Dial()
	c.Send(proxyLocal)
	eventually(t, "the handshake begins", func() bool { return len(openDescriptors(worker)) >= idle+2 })
	c.Reset()
	eventually(t, "the connection is closed", func() bool { return len(openDescriptors(worker)) <= idle })
	c = s.Dial()
	c.Send(proxyLocal, "\x16\x03\x01\x00\x05hello")
	s.WaitLog("TLS handshake with ip=127.0.0.1 failed: tls:", 1)
	if n := strings.Count(s.Log(), "TLS handshake"); n != 1 {
		t.Errorf("%d lines about handshakes, want that of the second connection", n)
	}
}
