package wsgi

import (
	"strings"
	"testing"

	"github.com/pyhost/pyhost/protocol/http1"
)

var (
	stranger = Conn{RemoteAddr: []byte("203.0.113.7"), RemotePort: []byte("4711")}
	local    = Conn{ListenerUnix: true, Trusted: true}
)

const get = "GET / HTTP/1.1\r\nHost: x\r\n"

var encodeTests = []struct {
	name, rule string
	conn       Conn
	wire       string
	want       []string
}{
	{
		"least", "PEP 3333 environ Variables", stranger, get + "\r\n",
		[]string{
			"REQUEST_METHOD=GET", "RAW_URI=/", "REQUEST_URI=/", "PATH_INFO=/", "QUERY_STRING=",
			"SERVER_PROTOCOL=HTTP/1.1", "HTTP_HOST=x", "REMOTE_ADDR=203.0.113.7", "REMOTE_PORT=4711",
			"SCRIPT_NAME", "wsgi.url_scheme",
			"SERVER_NAME", "SERVER_PORT", "CONTENT_TYPE", "CONTENT_LENGTH",
		},
	},
	{
		"HTTP/1.0 without Host", "PEP 3333", stranger, "GET / HTTP/1.0\r\n\r\n",
		[]string{"SERVER_PROTOCOL=HTTP/1.0", "HTTP_HOST"},
	},
	{
		"query and fragment", "gunicorn", stranger, "GET /a%20b?c=%20d#e HTTP/1.1\r\nHost: x\r\n\r\n",
		[]string{"RAW_URI=/a%20b?c=%20d#e", "REQUEST_URI=/a%20b?c=%20d#e", "PATH_INFO=/a b", "QUERY_STRING=c=%20d"},
	},
	{
		"absolute-form", "RFC 9112 3.2.2", stranger, "GET http://target:81/a HTTP/1.1\r\nHost: field\r\n\r\n",
		[]string{"HTTP_HOST=target:81", "PATH_INFO=/a", "RAW_URI=http://target:81/a"},
	},
	{
		"asterisk", "RFC 9112 3.2.4", stranger, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
		[]string{"PATH_INFO=*", "RAW_URI=*"},
	},
	{
		"content fields", "RFC 3875 4.1.18", stranger,
		"POST / HTTP/1.1\r\nHost: x\r\ncontent-type: a/b\r\nCONTENT-LENGTH: 3\r\n\r\n",
		[]string{"CONTENT_TYPE=a/b", "CONTENT_LENGTH=3", "HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"},
	},
	{
		"chunked", "PEP 3333", stranger, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
		[]string{"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING=chunked"},
	},
	{
		"custom names", "RFC 3875 4.1.18", stranger, get + "X-Foo-bar: a\r\nx.y: b\r\nX1: c\r\n\r\n",
		[]string{"HTTP_X_FOO_BAR=a", "HTTP_X.Y=b", "HTTP_X1=c"},
	},
	{
		"values", "RFC 9110 5.5", stranger, get + "X-A:\r\nX-B: caf\xe9\tx \r\nReferer:\r\n\r\n",
		[]string{"HTTP_X_A=", "HTTP_X_B=caf\xe9\tx", "HTTP_REFERER="},
	},
	{
		"repeated names", "RFC 9110 5.3", stranger,
		get + "X-A: 1\r\nAccept: a\r\nx-a: 2\r\nACCEPT: b\r\nX-A:\r\nX-B: 3\r\nX-A: 4\r\nAccept: c\r\n\r\n",
		[]string{"HTTP_X_A=1,2,,4", "HTTP_ACCEPT=a,b,c", "HTTP_X_B=3"},
	},
	{
		"repeated cookies", "RFC 9113 8.2.3", stranger,
		get + "Cookie: a=1\r\nX-A: b\r\ncookie: b=2\r\nCookie: c=3\r\n\r\n",
		[]string{"HTTP_COOKIE=a=1; b=2; c=3"},
	},
	{
		"underscores", "gunicorn header_map", stranger,
		get + "X-Auth: good\r\nX_Auth: bad\r\nX_Only: bad\r\nUser_Agent: bad\r\nContent_Length: 7\r\n" +
			"SCRIPT_NAME: /bad\r\n\r\n",
		[]string{"HTTP_X_AUTH=good", "HTTP_X_ONLY", "HTTP_USER_AGENT", "CONTENT_LENGTH", "HTTP_CONTENT_LENGTH",
			"HTTP_SCRIPT_NAME", "SCRIPT_NAME"},
	},
	{
		"underscores from a trusted peer", "gunicorn forwarder_headers", proxied,
		get + "X_Auth: bad\r\nPATH_INFO: /other\r\nPath-Info: /client\r\n\r\n",
		[]string{"HTTP_X_AUTH", "PATH_INFO=/", "HTTP_PATH_INFO=/other"},
	},
	{
		"https from a stranger", "gunicorn", stranger,
		get + "X-Forwarded-Proto: https\r\n\r\n",
		[]string{"wsgi.url_scheme", "HTTP_X_FORWARDED_PROTO=https"},
	},
	{
		"https from a trusted peer", "gunicorn", proxied,
		get + "x-forwarded-proto: https\r\n\r\n",
		[]string{"wsgi.url_scheme=https", "HTTP_X_FORWARDED_PROTO=https"},
	},
	{
		"https in another header", "gunicorn", proxied,
		get + "X-Forwarded-Ssl: on\r\nX-Forwarded-Proto: https\r\n\r\n",
		[]string{"wsgi.url_scheme=https"},
	},
	{
		"almost https", "gunicorn", proxied,
		get + "X-Forwarded-Proto: https, http\r\n\r\n",
		[]string{"wsgi.url_scheme"},
	},
	{
		"https in upper case", "gunicorn", proxied,
		get + "X-Forwarded-Proto: HTTPS\r\n\r\n",
		[]string{"wsgi.url_scheme"},
	},
	{
		"TLS", "PEP 3333 URL Reconstruction", Conn{TLS: true}, get + "\r\n",
		[]string{"wsgi.url_scheme=https", "REMOTE_ADDR=", "REMOTE_PORT"},
	},
	{
		"TLS and http from a trusted peer", "", Conn{TLS: true, Trusted: true},
		get + "X-Forwarded-Proto: http\r\n\r\n",
		[]string{"wsgi.url_scheme=https"},
	},
	{
		"unix socket", "gunicorn", local, get + "\r\n",
		[]string{"SERVER_NAME=x", "SERVER_PORT=80", "REMOTE_ADDR=", "REMOTE_PORT"},
	},
	{
		"unix socket and https", "gunicorn", local, get + "X-Forwarded-Proto: https\r\n\r\n",
		[]string{"SERVER_NAME=x", "SERVER_PORT=443"},
	},
	{
		"unix socket and port", "gunicorn", local, "GET / HTTP/1.1\r\nHost: x:8000\r\n\r\n",
		[]string{"SERVER_NAME=x", "SERVER_PORT=8000", "HTTP_HOST=x:8000"},
	},
	{
		"unix socket and empty port", "RFC 9110 4.2.1", local, "GET / HTTP/1.1\r\nHost: x:\r\n\r\n",
		[]string{"SERVER_NAME=x", "SERVER_PORT=80"},
	},
	{
		"unix socket and IPv6", "RFC 3875 4.1.14", local, "GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n",
		[]string{"SERVER_NAME=[::1]", "SERVER_PORT=8000"},
	},
	{
		"unix socket and IPv6 without port", "RFC 3875 4.1.14", local, "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n",
		[]string{"SERVER_NAME=[::1]", "SERVER_PORT=80"},
	},
	{
		"unix socket without Host", "gunicorn", local, "GET / HTTP/1.0\r\n\r\n",
		[]string{"SERVER_NAME", "SERVER_PORT"},
	},
}

func TestEncode(t *testing.T) {
	for _, test := range encodeTests {
		t.Run(test.name, func(t *testing.T) {
			environ, status := encode(t, defaultRules, test.conn, test.wire)
			if status != 0 {
				t.Fatalf("refused with %d, see %s", status, test.rule)
			}
			wantVariables(t, environ, test.want...)
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	const proto = "X-Forwarded-Proto: https\r\n"
	for _, test := range []struct {
		name   string
		conn   Conn
		wire   string
		status int
	}{
		{"scheme headers that contradict", proxied, get + proto + "X-Forwarded-Ssl: off\r\n\r\n", 400},
		{"the same, other order", proxied, get + "X-Forwarded-Ssl: off\r\n" + proto + "\r\n", 400},
		{"one header that contradicts itself", proxied, get + proto + "X-Forwarded-Proto: http\r\n\r\n", 400},
		{"the same from a stranger", stranger, get + proto + "X-Forwarded-Ssl: off\r\n\r\n", 0},
		{"one header twice", proxied, get + proto + proto + "\r\n", 0},
		{"two that are not https", proxied, get + "X-Forwarded-Proto: http\r\nX-Forwarded-Ssl: off\r\n\r\n", 0},
		{"two SCRIPT_NAMEs", proxied, get + "SCRIPT_NAME: \r\nSCRIPT_NAME: /a\r\n\r\n", 400},
		{"two SCRIPT_NAMEs from a stranger", stranger, get + "SCRIPT_NAME: \r\nSCRIPT_NAME: /a\r\n\r\n", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, status := encode(t, defaultRules, test.conn, test.wire); status != test.status {
				t.Errorf("status %d, want %d", status, test.status)
			}
		})
	}
}

func TestForwarderHeaders(t *testing.T) {
	wire := get + "Remote-User: client\r\nREMOTE_USER: alice\r\nremote-user: client\r\nX_Any: 1\r\n" +
		"X-Real-IP: client\r\nX_Real_IP: proxy\r\nx_real_ip: proxy2\r\nContent_Type: bad\r\nHost_: 2\r\n\r\n"
	for _, test := range []struct {
		name string
		list []string
		conn Conn
		want []string
	}{
		{"default", nil, proxied, []string{"HTTP_REMOTE_USER=client,client", "HTTP_X_ANY", "HTTP_X_REAL_IP=client"}},
		{"none", []string{}, proxied, []string{"HTTP_REMOTE_USER=client,client", "HTTP_X_ANY"}},
		{"one", []string{"remote_user"}, proxied, []string{
			"HTTP_REMOTE_USER=alice", "HTTP_X_ANY", "HTTP_X_REAL_IP=client",
		}},
		{"any", []string{"*"}, proxied, []string{
			"HTTP_REMOTE_USER=alice", "HTTP_X_ANY=1", "HTTP_X_REAL_IP=proxy,proxy2", "CONTENT_TYPE", "HTTP_HOST=x",
			"HTTP_HOST_=2",
		}},
		{"any, from a stranger", []string{"*"}, stranger, []string{"HTTP_REMOTE_USER=client,client", "HTTP_X_ANY"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			environ, status := encode(t, Rules{ForwarderHeaders: test.list}, test.conn, wire)
			if status != 0 {
				t.Fatalf("refused with %d", status)
			}
			wantVariables(t, environ, test.want...)
		})
	}
}

// TestReuse: nothing of a request is left in the next one's frame.
func TestReuse(t *testing.T) {
	encoder, frame := NewEncoder(defaultRules), &Frame{}
	requests := []string{
		browser, get + "X-A: 1\r\nX-A: 2\r\nCookie: a\r\nCookie: b\r\n\r\n", small,
		get + strings.Repeat("X-A: 1\r\nX-B: 2\r\n", 49) + "\r\n", small, browser,
	}
	for _, wire := range requests {
		if err := encoder.Encode(frame, parse(t, wire), &proxied); err != nil {
			t.Fatal(err)
		}
		got := decode(t, frame)
		want, _ := encode(t, defaultRules, proxied, wire)
		if len(got) != len(want) {
			t.Errorf("%d variables, with a new encoder %d", len(got), len(want))
		}
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%s = %q, with a new encoder %q", key, got[key], value)
			}
		}
	}
}

func TestNoAllocations(t *testing.T) {
	many := get + "Cookie: a\r\nCookie: b\r\nX-A: 1\r\nx-a: 2\r\nX_B: dropped\r\n" + "\r\n"
	for name, wire := range map[string]string{"small": small, "browser": browser, "repeated": many} {
		for _, conn := range []*Conn{&proxied, &stranger, &local} {
			parser, encoder := http1.NewParser(defaultLimits), NewEncoder(defaultRules)
			buf, req, frame := []byte(wire), &http1.Request{}, &Frame{}
			allocations := testing.AllocsPerRun(200, func() {
				if _, err := parser.Parse(buf, req); err != nil {
					t.Fatal(err)
				}
				if err := encoder.Encode(frame, req, conn); err != nil {
					t.Fatal(err)
				}
			})
			if allocations != 0 {
				t.Errorf("%s: %v allocations per request, want none", name, allocations)
			}
		}
	}
}
