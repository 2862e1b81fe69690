package config

import (
	"strings"
	"testing"
)

func tcp(host, port string) Address { return Address{Network: "tcp", Host: host, Port: port} }

func TestParseBind(t *testing.T) {
	for _, tt := range []struct {
		bind string
		want Address
		text string
	}{
		// gunicorn's own cases
		{"unix://var/run/test.sock", Address{Network: "unix", Path: "var/run/test.sock"}, "unix:var/run/test.sock"},
		{"unix:/var/run/test.sock", Address{Network: "unix", Path: "/var/run/test.sock"}, "unix:/var/run/test.sock"},
		{"tcp://localhost", tcp("localhost", "8000"), "localhost:8000"},
		{"tcp://localhost:5000", tcp("localhost", "5000"), "localhost:5000"},
		{"", tcp("0.0.0.0", "8000"), "0.0.0.0:8000"},
		{"[::1]:8000", tcp("::1", "8000"), "[::1]:8000"},
		{"[::1]:5000", tcp("::1", "5000"), "[::1]:5000"},
		{"[::1]", tcp("::1", "8000"), "[::1]:8000"},
		{"localhost:8000", tcp("localhost", "8000"), "localhost:8000"},
		{"127.0.0.1:8000", tcp("127.0.0.1", "8000"), "127.0.0.1:8000"},
		{"localhost", tcp("localhost", "8000"), "localhost:8000"},
		{"fd://33", Address{Network: "fd", FD: 33}, "fd://33"},
		// more
		{":80", tcp("0.0.0.0", "80"), "0.0.0.0:80"},
		{"0:80", tcp("0.0.0.0", "80"), "0.0.0.0:80"},
		{"0", tcp("0.0.0.0", "8000"), "0.0.0.0:8000"},
		{" LocalHost:0 ", tcp("localhost", "0"), "localhost:0"},
		{"my_host-1.Example:65535", tcp("my_host-1.example", "65535"), "my_host-1.example:65535"},
		{"[FE80::1%Eth0]:080", tcp("fe80::1%Eth0", "80"), "[fe80::1%Eth0]:80"},
		{"tcp://[::]", tcp("::", "8000"), "[::]:8000"},
		{"[10.0.0.1]:1", tcp("10.0.0.1", "1"), "10.0.0.1:1"},
		{"unix:///x.sock", Address{Network: "unix", Path: "/x.sock"}, "unix:/x.sock"},
		{"unix:////x.sock", Address{Network: "unix", Path: "//x.sock"}, "unix:////x.sock"},
		{"uwsgi://127.0.0.1:1", Address{Protocol: "uwsgi", Network: "tcp", Host: "127.0.0.1", Port: "1"},
			"uwsgi://127.0.0.1:1"},
		{"https://[::1]", Address{Protocol: "https", Network: "tcp", Host: "::1", Port: "8000"}, "https://[::1]:8000"},
		{"http://:80", Address{Protocol: "http", Network: "tcp", Host: "0.0.0.0", Port: "80"}, "http://0.0.0.0:80"},
		{"uwsgi+unix:///x", Address{Protocol: "uwsgi", Network: "unix", Path: "/x"}, "uwsgi+unix:/x"},
		{"http+fd://3", Address{Protocol: "http", Network: "fd", FD: 3}, "http+fd://3"},
		{"unix:unix:x", Address{Network: "unix", Path: "unix:x"}, "unix:unix:x"},
		{"unix:\x00name", Address{Network: "unix", Path: "\x00name"}, "unix:\x00name"},
		{"unix:" + strings.Repeat("x", 107), Address{Network: "unix", Path: strings.Repeat("x", 107)},
			"unix:" + strings.Repeat("x", 107)},
	} {
		got, err := ParseBind(tt.bind)
		if err != nil || got != tt.want {
			t.Errorf("ParseBind(%q) = %+v, %v; want %+v", tt.bind, got, err, tt.want)
		}
		if got.String() != tt.text {
			t.Errorf("ParseBind(%q) is written %q, want %q", tt.bind, got, tt.text)
		}
	}
}

func TestParseBindRefuses(t *testing.T) {
	for bind, want := range map[string]string{
		"127.0.0.1:test":           "'test' is not a port number (0 to 65535)",
		"127.0.0.1:":               "'' is not a port number (0 to 65535)",
		"127.0.0.1:65536":          "'65536' is not a port number (0 to 65535)",
		"127.0.0.1:-1":             "'-1' is not a port number (0 to 65535)",
		"127.0.0.1:+1":             "'+1' is not a port number (0 to 65535)",
		"[::1]:":                   "'' is not a port number (0 to 65535)",
		"fd://asd":                 "'asd' is not a file descriptor number",
		"fd://-1":                  "'-1' is not a file descriptor number",
		"fd://":                    "'' is not a file descriptor number",
		"::1":                      "more than one colon; an IPv6 address needs brackets, as in [::1]:8000",
		"::1:8000":                 "more than one colon; an IPv6 address needs brackets, as in [::1]:8000",
		"a:1:2":                    "more than one colon; an IPv6 address needs brackets, as in [::1]:8000",
		"[::1":                     "the closing bracket is missing",
		"[::1]8000":                "after the closing bracket comes :PORT, not '8000'",
		"[localhost]:80":           "'localhost' is not an IPv6 address",
		"8000":                     "only a port? write :8000 for all addresses or 127.0.0.1:8000 for this machine",
		"Unix:/x":                  "unix cannot be a host name; a socket file is unix:PATH, in lower case",
		"tcp://unix":               "unix cannot be a host name; a socket file is unix:PATH, in lower case",
		"*:80":                     "* is not a host; write 0.0.0.0 for all IPv4 or [::] for all addresses",
		"127.0.0.256":              "'127.0.0.256' is not an IPv4 address",
		"127.1:80":                 "'127.1' is not an IPv4 address",
		"a b:80":                   "'a b' is not a host name",
		"/run/x.sock":              "'/run/x.sock' is not a host name",
		"udp://127.0.0.1:80":       "udp:// is not for addresses to listen on; write HOST:PORT, unix:PATH or fd://N",
		"uwsgi://unix:/x":          "a unix socket is written uwsgi+unix:PATH",
		"uwsgi+127.0.0.1:80":       "after uwsgi+ comes unix:PATH or fd://N",
		"uwsgi://tcp://a:1":        "more than one scheme; write uwsgi://HOST:PORT",
		"unix:":                    "the path of the unix socket is missing",
		"unix://":                  "the path of the unix socket is missing",
		"unix:/a\x00b":             "a path cannot contain a NUL byte",
		"unix:" + longPath:         "the path of a unix socket has at most 107 bytes, this one has 108",
		"127.0.0.1:8000,127.0.0.2": "'8000,127.0.0.2' is not a port number (0 to 65535)",
	} {
		if got, err := ParseBind(bind); err == nil || err.Error() != want || got != (Address{}) {
			t.Errorf("ParseBind(%q) = %+v, %v; want the error %s", bind, got, err, want)
		}
	}
}

var longPath = strings.Repeat("x", 108)

// FuzzParseBind holds that an address that is accepted is written so that it is read back as the same one.
func FuzzParseBind(f *testing.F) {
	for _, bind := range []string{
		"", ":80", "0:1", "localhost", "tcp://h:1", "[::1]:8000", "[fe80::1%e]", "unix:/x", "unix:////x", "unix:\x00n",
		"fd://3", "Unix", "::1", "[", "]", "[]:", "tcp://", "fd://", "unix:", "a:b:c",
	} {
		f.Add(bind)
	}
	f.Fuzz(func(t *testing.T, bind string) {
		address, err := ParseBind(bind)
		if err != nil {
			return
		}
		again, err := ParseBind(address.String())
		if err != nil || again != address {
			t.Errorf("%q is %+v, written %q, read back as %+v, %v", bind, address, address, again, err)
		}
	})
}
