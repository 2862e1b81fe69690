package wsgi

import (
	"strings"
	"testing"
)

func TestRealIP(t *testing.T) {
	trusted, err := ParseTrusted([]string{"127.0.0.1", "10.0.0.0/8", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	proxy := Conn{RemoteAddr: []byte("127.0.0.1"), RemotePort: []byte("99"), Trusted: true}
	for _, tt := range []struct {
		name, header, lines, addr, port string
		conn                            Conn
	}{
		{"no header", "X-Forwarded-For", "", "127.0.0.1", "99", proxy},
		{"one hop", "X-Forwarded-For", "X-Forwarded-For: 203.0.113.7", "203.0.113.7", "", proxy},
		{"with a port", "X-Forwarded-For", "X-Forwarded-For: 203.0.113.7:4711", "203.0.113.7", "4711", proxy},
		{"the client lies", "X-Forwarded-For", "X-Forwarded-For: 1.2.3.4, 203.0.113.7", "203.0.113.7", "", proxy},
		{"two proxies", "X-Forwarded-For", "x-forwarded-for: 1.2.3.4,203.0.113.7 , 10.1.1.1", "203.0.113.7", "", proxy},
		{"two lines", "X-Forwarded-For", "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 10.1.1.1", "203.0.113.7", "",
			proxy},
		{"all trusted", "X-Forwarded-For", "X-Forwarded-For: 10.2.2.2, 10.1.1.1", "10.2.2.2", "", proxy},
		{"nonsense behind a proxy", "X-Forwarded-For", "X-Forwarded-For: 203.0.113.7, x, 10.1.1.1", "10.1.1.1", "", proxy},
		{"nonsense", "X-Forwarded-For", "X-Forwarded-For: 203.0.113.7, ", "127.0.0.1", "99", proxy},
		{"IPv6", "X-Forwarded-For", "X-Forwarded-For: 2001:DB9::0:1", "2001:db9::1", "", proxy},
		{"IPv6 in brackets", "X-Forwarded-For", "X-Forwarded-For: [2001:db9::1]:80, [2001:db8::2]", "2001:db9::1", "80",
			proxy},
		{"IPv4 in IPv6", "X-Forwarded-For", "X-Forwarded-For: 203.0.113.7, ::ffff:10.1.1.1", "203.0.113.7", "", proxy},
		{"a zone", "X-Forwarded-For", "X-Forwarded-For: fe80::1%eth0", "127.0.0.1", "99", proxy},
		{"a stranger", "X-Forwarded-For", "X-Forwarded-For: 1.2.3.4", "203.0.113.7", "4711", stranger},
		{"a unix socket", "X-Forwarded-For", "X-Forwarded-For: 203.0.113.7", "203.0.113.7", "", Conn{Trusted: true}},
		{"another header", "CF-Connecting-IP", "CF-Connecting-IP: 203.0.113.7", "203.0.113.7", "", proxy},
		{"Forwarded", "Forwarded", `Forwarded: for=192.0.2.43;proto=http, For="203.0.113.7:47"`, "203.0.113.7", "47", proxy},
		{"Forwarded, IPv6", "Forwarded", `Forwarded: for=1.2.3.4, for="[2001:db9::17]:4711";by=x, proto=https;for=10.1.1.1`,
			"2001:db9::17", "4711", proxy},
		{"Forwarded, a comma in quotes", "Forwarded", `Forwarded: host="a,b";for=203.0.113.7`, "203.0.113.7", "", proxy},
		{"Forwarded, a semicolon in quotes", "Forwarded", `Forwarded: host="a;for=1.2.3.4;b";for=203.0.113.7`, "203.0.113.7",
			"", proxy},
		{"Forwarded, a quote left open", "Forwarded", `Forwarded: for="1.2.3.4, for=203.0.113.7`, "203.0.113.7", "", proxy},
		{"a quote left open", "X-Forwarded-For", `X-Forwarded-For: ", 203.0.113.7`, "203.0.113.7", "", proxy},
		{"quotes", "X-Forwarded-For", `X-Forwarded-For: "1.2.3.4, 203.0.113.7"`, "127.0.0.1", "99", proxy},
		{"Forwarded, hidden", "Forwarded", `Forwarded: for=203.0.113.7, for=_hidden, for=10.1.1.1`, "10.1.1.1", "", proxy},
		{"Forwarded without for", "Forwarded", `Forwarded: proto=https`, "127.0.0.1", "99", proxy},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire := get + tt.lines
			if tt.lines != "" {
				wire += "\r\n"
			}
			environ, status := encode(t, Rules{RealIP: tt.header, Trusted: trusted}, tt.conn, wire+"\r\n")
			if status != 0 || environ["REMOTE_ADDR"] != tt.addr || environ["REMOTE_PORT"] != tt.port {
				t.Errorf("%s port %q (status %d), want %s port %q", environ["REMOTE_ADDR"], environ["REMOTE_PORT"], status,
					tt.addr, tt.port)
			}
			for _, line := range strings.Split(tt.lines, "\r\n") {
				if _, value, ok := strings.Cut(line, ": "); ok && !strings.Contains(
					environ["HTTP_"+strings.ToUpper(strings.ReplaceAll(tt.header, "-", "_"))], strings.TrimSpace(value)) {
					t.Errorf("the header itself is %q", environ)
				}
			}
		})
	}
}

func TestRequestID(t *testing.T) {
	proxy := Conn{RemoteAddr: []byte("127.0.0.1"), Trusted: true}
	for _, tt := range []struct {
		name, lines string
		conn        Conn
		kept        bool
	}{
		{"none", "", proxy, false},
		{"from a proxy", "x-request-id: abc-1\r\n", proxy, true},
		{"from a stranger", "X-Request-ID: abc-1\r\n", stranger, false},
		{"two", "X-Request-ID: abc-1\r\nX-Request-ID: abc-1\r\n", proxy, false},
		{"not an ID", "X-Request-ID: abc 1\r\n", proxy, false},
		{"empty", "X-Request-ID:\r\n", proxy, false},
		{"too long", "X-Request-ID: " + strings.Repeat("x", 129) + "\r\n", proxy, false},
	} {
		environ, _ := encode(t, Rules{RequestID: "X-Request-ID"}, tt.conn, get+"X-A: 1\r\n"+tt.lines+"X-B: 2\r\n\r\n")
		id := environ["HTTP_X_REQUEST_ID"]
		if (id == "abc-1") != tt.kept || !tt.kept && (len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "") {
			t.Errorf("%s: %q", tt.name, id)
		}
		if environ["HTTP_X_A"] != "1" || environ["HTTP_X_B"] != "2" {
			t.Errorf("%s: other headers are %q", tt.name, environ)
		}
	}
	encoder, frame := NewEncoder(Rules{RequestID: "X-Request-ID"}), &Frame{}
	packet := packetOf(t, 0, "REQUEST_METHOD=GET", "HTTP_X_REQUEST_ID=abc-2")
	if err := encoder.EncodeVars(frame, packet, &proxy); err != nil {
		t.Fatal(err)
	}
	if id := decode(t, frame)["HTTP_X_REQUEST_ID"]; id != "abc-2" || string(encoder.RequestID()) != id {
		t.Errorf("of a packet: %q, %q", id, encoder.RequestID())
	}
	if err := encoder.EncodeVars(frame, packet, &stranger); err != nil {
		t.Fatal(err)
	}
	if id := decode(t, frame)["HTTP_X_REQUEST_ID"]; len(id) != 32 {
		t.Errorf("of a stranger's packet: %q", id)
	}
}
