package tests

import (
	"crypto/sha256"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// curl as people use it: a large upload that asks first, ranges, HTTP/1.1 and HTTP/2.
func TestCurl(t *testing.T) {
	t.Parallel()
	curl := tool(t, "curl")
	authority := NewAuthority(t)
	data := string(randomBytes(3 << 20))
	s := startTLS(t, authority, Options{App: "upload", Kind: gthreadKind, Args: []string{"--http-protocols", "h2,h1",
		"--static", "/static=" + files(t, map[string]string{"a.txt": "0123456789"})}})
	base := "https://" + s.Addresses[0]
	for _, version := range []string{"--http1.1", "--http2"} {
		run := func(args ...string) string {
			t.Helper()
			command := exec.Command(curl, append([]string{"-sS", version, "--cacert", authority.File}, args...)...)
			command.Stdin = strings.NewReader(data)
			output, err := command.CombinedOutput()
			if err != nil {
				t.Errorf("curl %s %q: %v, %.300s", version, args, err, output)
			}
			return string(output)
		}
		want := fmt.Sprintf("%d %x", len(data), sha256.Sum256([]byte(data)))
		for _, args := range [][]string{
			{"--data-binary", "@-"}, {"-H", "Expect: 100-continue", "-T", "-"}, {"-H", "Expect:", "-T", "-"},
		} {
			if got := run(append(args, "-X", "POST", base+"/")...); got != want {
				t.Errorf("%s %q: %.300q", version, args, got)
			}
		}
		for ranges, want := range map[string]string{"2-4": "234", "-3": "789", "8-": "89"} {
			if got := run("-r", ranges, base+"/static/a.txt"); got != want {
				t.Errorf("%s, range %s: %q", version, ranges, got)
			}
		}
		got := run("-o", "/dev/null", "-w", "%{http_code} %{http_version}", base+"/static/none")
		if !strings.HasPrefix(got, "404 ") {
			t.Errorf("%s: %q", version, got)
		}
	}
}

// openssl's own client, with a certificate of its own.
func TestOpenSSLClientCertificate(t *testing.T) {
	t.Parallel()
	openssl := tool(t, "openssl")
	authority := NewAuthority(t)
	certificate, key := authority.Issue("alice")
	s := startTLS(t, authority, Options{App: "environ", Args: []string{"--cert-reqs", "2", "--ca-certs", authority.File}})
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		command := exec.Command(openssl, "s_client", "-connect", s.Addresses[0], "-servername", "example.org", version,
			"-CAfile", authority.File, "-verify_return_error", "-quiet", "-ign_eof", "-cert", certificate, "-key", key)
		command.Stdin = strings.NewReader("GET / HTTP/1.0\r\nHost: x\r\n\r\n")
		output, err := command.CombinedOutput()
		for _, want := range []string{"HTTP/1.1 200 OK", `"SSL_CLIENT_VERIFY": ["str", "SUCCESS"]`, "CN=alice"} {
			if err != nil || !strings.Contains(string(output), want) {
				t.Errorf("openssl s_client %s: %v, no %s in\n%.3000s", version, err, want, output)
			}
		}
	}
	s.Allow("TLS handshake")
	output, _ := exec.Command(openssl, "s_client", "-connect", s.Addresses[0], "-tls1_2", "-quiet").CombinedOutput()
	if strings.Contains(string(output), "HTTP/1.1") {
		t.Errorf("without a certificate: %.1000s", output)
	}
}
