package config

import (
	"errors"
	"strconv"
	"strings"
)

// SNICert is one item of sni_certs.
type SNICert struct {
	// Host is a name in lower case, which may begin with "*." for one more label.
	Host string
	// Cert and Key are files; Key is Cert if the item names none.
	Cert, Key string
}

// ParseSNICert reads HOST=CERT or HOST=CERT,KEY.
func ParseSNICert(item string) (SNICert, error) {
	host, files, _ := strings.Cut(item, "=")
	cert, key, hasKey := strings.Cut(files, ",")
	if !hasKey {
		key = cert
	}
	trim := strings.TrimSpace
	c := SNICert{Host: strings.ToLower(trim(host)), Cert: trim(cert), Key: trim(key)}
	if c.Host == "" || c.Cert == "" || c.Key == "" {
		return SNICert{}, errors.New("must be HOST=CERT,KEY, as in shop.example.org=shop.pem,shop.key")
	}
	if !onlyOf(strings.TrimPrefix(c.Host, "*."), "abcdefghijklmnopqrstuvwxyz0123456789.-_") {
		return SNICert{}, errors.New("the name before = must be a host name, or *. and one")
	}
	return c, nil
}

func sniCertItem(_, item string) (string, error) {
	_, err := ParseSNICert(item)
	return item, err
}

// sslVersionItem knows the names of Python's ssl module and their numbers, which gunicorn takes too.
func sslVersionItem(_, version string) (string, error) {
	switch name := strings.TrimPrefix(strings.ToUpper(version), "PROTOCOL_"); name {
	case "TLS", "TLS_SERVER", "SSLV23", "2", "17":
		return "TLS", nil
	case "TLSV1_2", "5":
		return "TLSv1_2", nil
	case "TLSV1_3":
		return "TLSv1_3", nil
	case "SSLV2", "SSLV3", "TLSV1", "TLSV1_1", "0", "1", "3", "4":
		return "", errors.New("is older than TLS 1.2, the oldest that is spoken; use TLS, TLSv1_2 or TLSv1_3")
	}
	return "", errors.New("must be TLS, TLSv1_2 or TLSv1_3")
}

// checkSSL is about the settings of TLS in combination.
func (c *Config) checkSSL() *ValueError {
	bad := func(setting, value, problem string) *ValueError {
		return &ValueError{Setting: setting, Value: value, Source: c.Source[setting], Problem: problem}
	}
	switch {
	case c.CertFile == "" && c.KeyFile != "":
		return bad("keyfile", c.KeyFile, "needs certfile, the certificate of that key")
	case c.CertFile == "" && len(c.SNICerts) > 0:
		return bad("sni_certs", c.SNICerts[0], "needs certfile, for clients that name no host or another")
	case c.CertReqs > 0 && c.CACerts == "":
		return bad("cert_reqs", strconv.Itoa(c.CertReqs), "needs ca_certs, the authorities that sign clients' certificates")
	}
	for _, bind := range c.Bind {
		if address, _ := ParseBind(bind); address.Protocol == ProtocolHTTPS && c.CertFile == "" {
			return bad("bind", bind, "needs certfile")
		}
	}
	return nil
}
