package workers

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pyhost/pyhost/protocol/http1"
)

// transport is the client's side of a TLS connection as crypto/tls wants it: a file that Go's poller watches. early are
// bytes that came before the handshake was begun.
type transport struct {
	*os.File
	conn     *conn
	early    []byte
	patience time.Duration // write_timeout; 0 = none
	// closed is called once, when crypto/tls closes the connection; nil where a tunnel does.
	closed func()
	once   sync.Once
	ended  bool // the client's end of file was read: without close_notify, after which nothing is read
	// preface bounds the wait for what a client of HTTP/2 has to begin with; nil in HTTP/1.1. heard is how many bytes of
	// that, and before of the handshake, have come.
	preface *heads
	heard   int
}

// prefaceSize is the size of a client's connection preface in HTTP/2 (RFC 9113 3.4).
const prefaceSize = 24

func (t *transport) Read(p []byte) (int, error) {
	if len(t.early) > 0 {
		n := copy(p, t.early)
		t.early = t.early[n:]
		t.heard += n
		return n, nil
	}
	n, err := t.File.Read(p)
	t.ended = t.ended || errors.Is(err, io.EOF)
	if t.preface != nil && t.heard < prefaceSize && t.heard+n >= prefaceSize {
		t.preface.end(t.File)
		t.SetReadDeadline(time.Time{})
	}
	t.heard += n
	return n, err
}

// Write is patient as writePatiently is, and asks what the client has taken only when its socket is full. crypto/tls
// could not write on after a deadline that passed in the middle of a record.
func (t *transport) Write(p []byte) (n int, err error) {
	raw, err := t.SyscallConn()
	if err != nil {
		return 0, err
	}
	for {
		failure := error(nil)
		full, before := -1, 0 // what the client had not taken when its socket was full, and n then
		err := raw.Write(func(fd uintptr) bool {
			for n < len(p) && failure == nil {
				written, err := unix.Write(int(fd), p[n:])
				n += max(written, 0)
				switch {
				case errors.Is(err, unix.EAGAIN):
					if full < 0 {
						full, _ = unix.IoctlGetInt(int(fd), unix.TIOCOUTQ)
						before = n
					}
					return false
				case err != nil && !errors.Is(err, unix.EINTR):
					failure = os.NewSyscallError("write", err)
				}
			}
			return true
		})
		if err == nil {
			return n, failure
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || t.patience == 0 || n == before && unsent(t.File) >= full {
			return n, err
		}
		t.SetWriteDeadline(after(t.patience))
	}
}

// Close closes the client's side.
func (t *transport) Close() error {
	if t.preface != nil {
		t.preface.end(t.File)
	}
	err := t.File.Close()
	if t.closed != nil {
		t.once.Do(t.closed)
	}
	return err
}

// nowhere is an address that says nothing: the connection's facts are its conn's.
var nowhere = &net.UnixAddr{Net: "unix"}

// LocalAddr says nothing.
func (t *transport) LocalAddr() net.Addr { return nowhere }

// RemoteAddr says nothing.
func (t *transport) RemoteAddr() net.Addr { return nowhere }

// encrypt makes c a TLS connection: the handshake first, then a tunnel that takes c's place in the Python threads'
// eyes. early are the bytes that have been read from it already.
func (l *lane) encrypt(c *conn, early []byte) {
	l.start(c, func(f *os.File) {
		client := &transport{File: f, conn: c, early: early, patience: l.w.timeouts.write}
		conn := tls.Server(client, l.w.tls)
		l.heads.begin(f)
		err := conn.Handshake()
		l.heads.end(f)
		if err != nil {
			f.Close()
			if client.heard == 0 && errors.Is(err, unix.ECONNRESET) {
				err = io.EOF // a load balancer that looks whether somebody is there
			}
			l.handshakeFailed(c, err)
			return
		}
		f.SetDeadline(time.Time{})
		c.secured(conn.ConnectionState(), l.w.tls.ClientAuth)
		if conn.ConnectionState().NegotiatedProtocol == "h2" {
			client.preface, client.heard = &l.heads, 0
			l.heads.begin(f)
			l.w.http2.serve(conn)
			return
		}
		if l.w.http2 != nil && l.w.http2.alone {
			f.Close()
			l.handshakeFailed(c, errors.New("the client does not speak HTTP/2 (--http-protocols)"))
			return
		}
		if err := l.w.tunnel(c, f, conn); err != nil {
			f.Close()
			l.w.closeFor(c, err)
		}
	})
}

// handshakeFailed is an everyday matter at the edge: scanners, old clients, connections that are given up.
func (l *lane) handshakeFailed(c *conn, err error) {
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &header) && looksLikeHTTP(header.RecordHeader[:]):
		l.incomplete(c, &http1.Refusal{Status: 400, Rule: "plain HTTP on an address that speaks TLS"}, nil)
	case errors.Is(err, io.EOF): // closed without a word
		l.w.close(c)
	default:
		l.w.log.Info("TLS handshake with ip=%s failed: %v", c.peer(), err)
		l.finish(c, nil) // the alert must reach the client
	}
}

// looksLikeHTTP tells a method from a TLS record by its first five bytes.
func looksLikeHTTP(head []byte) bool {
	for _, b := range head {
		if (b < 'A' || b > 'Z') && b != ' ' && b != '/' {
			return false
		}
	}
	return len(head) > 0
}

// secured adds what the application may know of the encryption, under the names of Apache's mod_ssl.
func (c *conn) secured(state tls.ConnectionState, auth tls.ClientAuthType) {
	f := &c.facts
	f.TLS = true
	f.Add("HTTPS", []byte("on"))
	f.Add("SSL_PROTOCOL", []byte(protocolName(state.Version)))
	f.Add("SSL_CIPHER", []byte(tls.CipherSuiteName(state.CipherSuite)))
	if state.ServerName != "" {
		f.Add("SSL_TLS_SNI", []byte(state.ServerName))
	}
	if auth == tls.NoClientCert {
		return
	}
	if len(state.PeerCertificates) == 0 {
		f.Add("SSL_CLIENT_VERIFY", []byte("NONE"))
		return
	}
	f.Add("SSL_CLIENT_VERIFY", []byte("SUCCESS")) // another certificate ends the handshake
	c.certified(state.PeerCertificates[0])
}

func protocolName(version uint16) string {
	if version == tls.VersionTLS12 {
		return "TLSv1.2"
	}
	return "TLSv1.3"
}

func (c *conn) certified(certificate *x509.Certificate) {
	const when = "Jan _2 15:04:05 2006 GMT" // as openssl prints it, and mod_ssl
	f := &c.facts
	f.Add("SSL_CLIENT_S_DN", []byte(certificate.Subject.String()))
	f.Add("SSL_CLIENT_S_DN_CN", []byte(certificate.Subject.CommonName))
	f.Add("SSL_CLIENT_I_DN", []byte(certificate.Issuer.String()))
	f.Add("SSL_CLIENT_M_SERIAL", serial(certificate))
	f.Add("SSL_CLIENT_V_START", []byte(certificate.NotBefore.UTC().Format(when)))
	f.Add("SSL_CLIENT_V_END", []byte(certificate.NotAfter.UTC().Format(when)))
	f.Add("SSL_CLIENT_CERT", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
}

// serial is a certificate's serial number as mod_ssl, nginx and openssl write it: whole bytes, in capitals.
func serial(certificate *x509.Certificate) []byte {
	text := fmt.Appendf(nil, "%X", certificate.SerialNumber)
	if len(text)%2 == 1 {
		text = append([]byte("0"), text...)
	}
	return text
}

// socketPair is two ends of a stream; the second is watched by Go's poller.
func socketPair() (ours int, theirs *os.File, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, nil, os.NewSyscallError("socketpair", err)
	}
	return pair[0], os.NewFile(uintptr(pair[1]), "tunnel"), nil
}
