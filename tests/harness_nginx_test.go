package tests

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"
)

// Nginx is a real nginx in front of one address of a server.
type Nginx struct {
	t         *testing.T
	directory string
	command   *exec.Cmd
	exited    chan struct{}

	// URL and SecureURL are the same site over plain HTTP and over TLS.
	URL, SecureURL string
	// Authorities verify the certificate of SecureURL.
	Authorities *x509.CertPool
}

// nginxConfig is what docs/deployment.md recommends, with everything that nginx writes kept in its own directory.
var nginxConfig = template.Must(template.New("nginx.conf").Parse(`
daemon off;
{{if .Stream}}load_module {{.Stream}};{{end}}
{{if .Root}}user root;{{end}}
worker_processes 1;
pid nginx.pid;
error_log error.log notice;
events { worker_connections 256; }
{{if .Stream}}
stream {
  server {
    listen {{.Plain}};
    proxy_pass {{.Upstream}};
    proxy_protocol on;
  }
}
{{else}}
http {
  access_log access.log;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size 16m;

  upstream pyhost {
    server {{.Upstream}};
    keepalive 8;
  }
  server {
    listen {{.Plain}};
    listen {{.Secure}} ssl;
    ssl_certificate certificate.pem;
    ssl_certificate_key key.pem;
    location / { {{.Location}} }
  }
}
{{end}}
`))

// proxyPass is the location of nginx in front of HTTP, as docs/deployment.md has it.
const proxyPass = `
      proxy_pass http://pyhost;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
`

// StartNginx puts an nginx in front of an address in the form of Server.Addresses, until the test ends.
func StartNginx(t *testing.T, upstream string) *Nginx {
	t.Helper()
	return startNginx(t, upstream, proxyPass)
}

// streamModule is where Debian has what nginx needs to pass bytes on, with a PROXY header in front.
const streamModule = "/usr/lib/nginx/modules/ngx_stream_module.so"

// startStreamNginx puts an nginx in front that passes TCP connections on, with a PROXY header (version 1).
func startStreamNginx(t *testing.T, upstream string) *Nginx {
	t.Helper()
	if _, err := os.Stat(streamModule); err != nil {
		t.Skip("nginx cannot pass TCP connections on; Debian, Ubuntu: apt install libnginx-mod-stream")
	}
	return startNginx(t, upstream, "")
}

// startNginx is StartNginx with a location block of its own; the upstream is called pyhost in it. Without a location it
// passes connections on.
func startNginx(t *testing.T, upstream, location string) *Nginx {
	t.Helper()
	n := &Nginx{t: t, directory: t.TempDir(), exited: make(chan struct{})}
	n.command = exec.Command(nginxBinary(t), "-p", n.directory, "-c", "nginx.conf") // no -e: nginx has it since 1.19.5
	errors := filepath.Join(n.directory, "stderr")
	n.command.Stderr = openAppending(t, errors)
	// nginx takes over listening sockets that it finds in its environment: so it needs no free port.
	plain, secure := n.inherit(), n.inherit()
	n.command.Env = []string{"PATH=" + os.Getenv("PATH"), "NGINX=3;4;"}
	n.URL, n.SecureURL = "http://"+plain, "https://"+secure
	n.writeCertificate()
	n.writeConfig(upstream, location, plain, secure)
	if err := n.command.Start(); err != nil {
		t.Fatalf("starting nginx: %v", err)
	}
	go func() {
		n.command.Wait() // the log says more than the status
		close(n.exited)
	}()
	t.Cleanup(n.finish)
	eventually(t, "nginx has started", func() bool {
		if n.stopped() {
			t.Fatalf("nginx did not start:\n%s%s", contentOf(errors), contentOf(filepath.Join(n.directory, "error.log")))
		}
		_, err := os.Stat(filepath.Join(n.directory, "nginx.pid"))
		return err == nil
	})
	return n
}

// nginxBinary skips the test where nginx is not installed; in CI that is a failure.
func nginxBinary(t *testing.T) string { return tool(t, "nginx") }

// inherit opens a loopback listener that nginx inherits, and returns its address.
func (n *Nginx) inherit() string {
	n.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		n.t.Fatal(err)
	}
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		n.t.Fatal(err)
	}
	listener.Close()
	n.t.Cleanup(func() { file.Close() })
	n.command.ExtraFiles = append(n.command.ExtraFiles, file)
	return listener.Addr().String()
}

// writeCertificate borrows the certificate that net/http/httptest has for 127.0.0.1.
func (n *Nginx) writeCertificate() {
	n.t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	n.Authorities = x509.NewCertPool()
	n.Authorities.AddCert(server.Certificate())
	certificate := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		n.t.Fatal(err)
	}
	n.write("certificate.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}))
	n.write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
}

func (n *Nginx) writeConfig(upstream, location, plain, secure string) {
	n.t.Helper()
	var config strings.Builder
	stream := ""
	if location == "" {
		stream = streamModule
	}
	err := nginxConfig.Execute(&config, map[string]any{
		"Stream": stream,
		"Root":   os.Getuid() == 0, "Upstream": upstream, "Location": location, "Plain": plain, "Secure": secure,
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.write("nginx.conf", []byte(config.String()))
}

func (n *Nginx) write(name string, content []byte) {
	n.t.Helper()
	if err := os.WriteFile(filepath.Join(n.directory, name), content, 0o600); err != nil {
		n.t.Fatal(err)
	}
}

func (n *Nginx) log() string {
	content, err := os.ReadFile(filepath.Join(n.directory, "error.log"))
	if err != nil {
		return err.Error()
	}
	return string(content)
}

func (n *Nginx) stopped() bool {
	select {
	case <-n.exited:
		return true
	default:
		return false
	}
}

// That a body goes to a temporary file is a warning to nginx and the intended thing to us.
var nginxAlarm = regexp.MustCompile(`(?m)^.*\[(error|crit|alert|emerg)\].*$`)

// finish stops nginx and reports whatever it had to complain of: a response cut short, a connection refused.
func (n *Nginx) finish() {
	n.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-n.exited:
	case <-time.After(patience):
		n.command.Process.Kill()
		<-n.exited
		n.t.Errorf("nginx did not stop within %v", patience)
	}
	if alarms := nginxAlarm.FindAllString(n.log(), 10); alarms != nil {
		n.t.Errorf("nginx complains:\n%s", strings.Join(alarms, "\n"))
	}
	if n.t.Failed() {
		access, err := os.ReadFile(filepath.Join(n.directory, "access.log"))
		n.t.Logf("access log of nginx (%v):\n%s", err, access)
	}
}

// behindNginx runs a test with an nginx that reaches the server over TCP, and with one that reaches it over a unix
// socket; base is the site's URL, plain HTTP for the first and TLS for the second.
func behindNginx(t *testing.T, start func(t *testing.T, bind string) *Server,
	test func(t *testing.T, nginx *Nginx, base string),
) {
	t.Helper()
	t.Run("tcp", func(t *testing.T) {
		t.Parallel()
		nginx := StartNginx(t, start(t, "127.0.0.1:0").Addresses[0])
		test(t, nginx, nginx.URL)
	})
	t.Run("unix", func(t *testing.T) {
		t.Parallel()
		nginx := StartNginx(t, start(t, "unix:"+shortDirectory(t)+"/s").Addresses[0])
		test(t, nginx, nginx.SecureURL)
	})
}

// shortDirectory is t.TempDir with a path that a unix socket address, at most 107 bytes, can hold.
func shortDirectory(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("", "pyhost")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	return directory
}
