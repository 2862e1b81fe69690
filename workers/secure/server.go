package secure

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pyhost/pyhost/config"
)

// New builds the server side of TLS; m is what Read returned for cfg.
func New(cfg *config.Config, m *Material) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	switch cfg.SSLVersion {
	case "TLSv1_2":
		c.MaxVersion = tls.VersionTLS12
	case "TLSv1_3":
		c.MinVersion = tls.VersionTLS13
	}
	if cfg.HTTPProtocols != "" && cfg.HTTPProtocols != "h1" { // else clients that know no ALPN are none the wiser
		// A client that offers nothing else than HTTP/1.0 by name would be refused by name (RFC 7301 3.2).
		names := strings.NewReplacer("h1", "http/1.1,http/1.0").Replace(cfg.HTTPProtocols)
		c.NextProtos = strings.Split(names, ",")
	}
	var err error
	if c.CipherSuites, err = suites(cfg.Ciphers); err != nil {
		return nil, fmt.Errorf("invalid value for ciphers: %s: %w", cfg.Ciphers, err)
	}
	if err := certificates(c, m.Pairs); err != nil {
		return nil, err
	}
	if cfg.CertReqs > 0 {
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(m.Authorities) {
			return nil, fmt.Errorf("invalid value for ca_certs: %s has no PEM certificate", cfg.CACerts)
		}
		c.ClientAuth = tls.VerifyClientCertIfGiven
		if cfg.CertReqs == 2 {
			c.ClientAuth = tls.RequireAndVerifyClientCert
		}
	}
	setTicketKeys(c, m.Secret, time.Now())
	return c, nil
}

func (p *Pair) certificate() (*tls.Certificate, error) {
	c, err := tls.X509KeyPair(p.Cert, p.Key)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "tls: "))
	}
	return &c, nil
}

// certificates chooses among pairs by the name that the client asks for (RFC 6066 3): that name, a wildcard that covers
// it, else the first.
func certificates(c *tls.Config, pairs []Pair) error {
	byHost := map[string]*tls.Certificate{}
	for _, p := range pairs {
		certificate, err := p.certificate()
		if err != nil {
			return err
		}
		byHost[p.Host] = certificate
	}
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
		if certificate, ok := byHost[name]; ok {
			return certificate, nil
		}
		if _, parent, ok := strings.Cut(name, "."); ok {
			if certificate, ok := byHost["*."+parent]; ok {
				return certificate, nil
			}
		}
		return byHost[""], nil
	}
	return nil
}

// ticketPeriod is how long session tickets are made with one key. Tickets of the period before are still taken.
const ticketPeriod = 12 * time.Hour

// RotateTicketKeys keeps the keys of session tickets fresh until stop is closed. The keys follow from the secret and
// the time, so all workers have the same.
func RotateTicketKeys(c *tls.Config, m *Material, stop <-chan struct{}) {
	ticker := time.NewTicker(ticketPeriod / 12)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			setTicketKeys(c, m.Secret, now)
		case <-stop:
			return
		}
	}
}

func setTicketKeys(c *tls.Config, secret []byte, now time.Time) {
	period := uint64(now.Unix() / int64(ticketPeriod/time.Second))
	c.SetSessionTicketKeys([][32]byte{ticketKey(secret, period), ticketKey(secret, period-1)})
}

func ticketKey(secret []byte, period uint64) (key [32]byte) {
	h := hmac.New(sha256.New, secret)
	h.Write(binary.BigEndian.AppendUint64(nil, period))
	h.Sum(key[:0])
	return key
}
