package secure

import (
	"crypto/rand"
	"fmt"
	"os"

	"github.com/pyhost/pyhost/config"
)

// maxMaterial bounds all files together, in bytes: a worker gets them in one message.
const maxMaterial = 512 << 10

// Material is the contents of the files that TLS needs. The master reads them, because a worker may run as a user who
// must not, and gives all workers of a generation the same.
type Material struct {
	// Pairs are the certificates; the first is the one for clients that name no host, or none of the others'.
	Pairs []Pair `json:"pairs"`
	// Authorities sign the certificates of clients; PEM, empty if none is asked for.
	Authorities []byte `json:"authorities,omitempty"`
	// Secret is what the keys of session tickets are derived from, so that a client can resume its session with any
	// worker of the generation.
	Secret []byte `json:"secret"`
}

// Pair is one certificate chain with its key, both PEM.
type Pair struct {
	// Host is the name it is for, "*.example.org" for one label more; empty for certfile's.
	Host string `json:"host,omitempty"`
	Cert []byte `json:"cert"`
	Key  []byte `json:"key"`
}

// Read reads the files of cfg and checks that a server can be made of them; resolve says where a path leads. nil
// without an error means that cfg has no TLS. The error names the setting and the file.
func Read(cfg *config.Config, resolve func(path string) string) (*Material, error) {
	if cfg.CertFile == "" {
		return nil, nil
	}
	m := &Material{Secret: make([]byte, 32)}
	rand.Read(m.Secret) // never fails
	key := cfg.KeyFile
	if key == "" {
		key = cfg.CertFile
	}
	if err := m.add("", "certfile", cfg.CertFile, "keyfile", key, resolve); err != nil {
		return nil, err
	}
	for _, item := range cfg.SNICerts {
		c, err := config.ParseSNICert(item)
		if err != nil {
			return nil, fmt.Errorf("invalid value for sni_certs: %s: %w", item, err)
		}
		if err := m.add(c.Host, "sni_certs", c.Cert, "sni_certs", c.Key, resolve); err != nil {
			return nil, err
		}
	}
	if cfg.CertReqs > 0 {
		var err error
		if m.Authorities, err = read("ca_certs", cfg.CACerts, resolve); err != nil {
			return nil, err
		}
	}
	if size := m.size(); size > maxMaterial {
		return nil, fmt.Errorf("certificates, keys and ca_certs have %d bytes together; at most %d are possible", size,
			maxMaterial)
	}
	_, err := New(cfg, m)
	return m, err
}

func (m *Material) add(host, certSetting, cert, keySetting, key string, resolve func(string) string) (err error) {
	p := Pair{Host: host}
	if p.Cert, err = read(certSetting, cert, resolve); err != nil {
		return err
	}
	if p.Key, err = read(keySetting, key, resolve); err != nil {
		return err
	}
	if _, err = p.certificate(); err != nil {
		return fmt.Errorf("invalid value for %s: %s with the key in %s: %w", certSetting, cert, key, err)
	}
	m.Pairs = append(m.Pairs, p)
	return nil
}

func read(setting, path string, resolve func(string) string) ([]byte, error) {
	text, err := os.ReadFile(resolve(path))
	if err != nil {
		return nil, fmt.Errorf("invalid value for %s: %w", setting, err)
	}
	return text, nil
}

func (m *Material) size() int {
	size := len(m.Authorities)
	for _, p := range m.Pairs {
		size += len(p.Cert) + len(p.Key)
	}
	return size
}
