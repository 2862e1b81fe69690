package config

import (
	"strings"
	"testing"
)

func TestSSLInCombination(t *testing.T) {
	for args, want := range map[string]string{
		"--keyfile k":                    "Invalid value for keyfile: 'k' (from the command line): needs certfile",
		"--sni-cert a=b":                 "needs certfile, for clients that name no host",
		"--sni-cert a --certfile c":      "must be HOST=CERT,KEY",
		"--sni-cert =a,b --certfile c":   "must be HOST=CERT,KEY",
		"--sni-cert a=b, --certfile c":   "must be HOST=CERT,KEY",
		"--sni-cert a*b=c --certfile c":  "must be a host name",
		"--cert-reqs 1 --certfile c":     "cert_reqs: '1' (from the command line): needs ca_certs",
		"--cert-reqs 3":                  "must be at most 2",
		"-b https://:1":                  "needs certfile",
		"--ssl-version TLSv1_1":          "is older than TLS 1.2",
		"--ssl-version nonsense":         "must be TLS, TLSv1_2 or TLSv1_3",
		"--certfile c --ssl-version SSL": "must be TLS",
	} {
		if err := (scene{args: append(strings.Fields(args), "m:a")}).fail(t); !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
	}
}

func TestProtocolOf(t *testing.T) {
	for _, tt := range []struct{ args, bind, want string }{
		{"", ":1", "http"},
		{"", "uwsgi://:1", "uwsgi"},
		{"--protocol uwsgi", ":1", "uwsgi"},
		{"--protocol uwsgi", "http://:1", "http"},
		{"--certfile c", ":1", "https"},
		{"--certfile c", "unix:/s", "https"},
		{"--certfile c", "http+unix:/s", "http"},
		{"--certfile c", "https://:1", "https"},
		{"--certfile c --protocol uwsgi", ":1", "uwsgi"},
	} {
		c := scene{args: append(strings.Fields(tt.args), "m:a")}.load(t)
		at, err := ParseBind(tt.bind)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.ProtocolOf(at); got != tt.want {
			t.Errorf("%s with %q: %s, want %s", tt.bind, tt.args, got, tt.want)
		}
	}
}
