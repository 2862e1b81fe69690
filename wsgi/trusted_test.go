package wsgi

import (
	"net/netip"
	"strings"
	"testing"
)

func TestTrusted(t *testing.T) {
	for _, test := range []struct{ list, in, out string }{
		{"", "", "127.0.0.1 ::1"},
		{"*", "127.0.0.1 8.8.8.8 ::1", ""},
		{"127.0.0.1,::1", "127.0.0.1 ::1 ::ffff:127.0.0.1", "127.0.0.2 ::2"},
		{" 10.0.0.0/8 , 192.0.2.7 ", "10.255.0.1 192.0.2.7 ::ffff:10.1.1.1", "11.0.0.1 192.0.2.8"},
		{"10.1.2.3/8", "10.9.9.9", "11.0.0.0"},
		{"2001:db8::/32", "2001:db8:1::2", "2001:db9::1 32.1.13.184"},
		{"::ffff:10.0.0.0/104", "10.1.2.3 ::ffff:10.1.2.3", "11.0.0.0"},
		{"::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"},
		{"fe80::/10", "fe80::1%eth0", "fec0::1"},
		{"0.0.0.0/0", "8.8.8.8", "::1"},
	} {
		trusted, err := ParseTrusted(strings.Split(test.list, ","))
		if err != nil {
			t.Fatalf("%q: %v", test.list, err)
		}
		for _, addr := range strings.Fields(test.in) {
			if !trusted.Contains(netip.MustParseAddr(addr)) {
				t.Errorf("%q does not contain %s", test.list, addr)
			}
		}
		for _, addr := range strings.Fields(test.out) {
			if trusted.Contains(netip.MustParseAddr(addr)) {
				t.Errorf("%q contains %s", test.list, addr)
			}
		}
	}
	if (*Trusted)(nil).Contains(netip.MustParseAddr("127.0.0.1")) {
		t.Error("a nil set contains something")
	}
}

func TestParseTrustedNamesWhatIsWrong(t *testing.T) {
	for _, item := range []string{"localhost", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "1.2.3.4:80", "**"} {
		_, err := ParseTrusted([]string{"127.0.0.1", item})
		if err == nil || !strings.Contains(err.Error(), `"`+item+`"`) {
			t.Errorf("%s: error %v", item, err)
		}
	}
}
