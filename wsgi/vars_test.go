package wsgi

import (
	"encoding/binary"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/pyhost/pyhost/protocol/http1"
	"github.com/pyhost/pyhost/protocol/uwsgi"
)

// packetOf parses a packet of variables, written NAME=VALUE.
func packetOf(t testing.TB, modifier1 byte, vars ...string) *uwsgi.Packet {
	t.Helper()
	raw := []byte{modifier1, 0, 0, 0}
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		for _, text := range []string{name, value} {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(len(text)))
			raw = append(raw, text...)
		}
	}
	binary.LittleEndian.PutUint16(raw[1:], uint16(len(raw)-4))
	packet := new(uwsgi.Packet)
	if _, err := uwsgi.Parse(raw, uwsgi.MaxSize, packet); err != nil {
		t.Fatal(err)
	}
	return packet
}

func TestEncodeVars(t *testing.T) {
	proxy := Conn{RemoteAddr: []byte("127.0.0.1"), Trusted: true}
	scheme := Rules{SecureSchemeHeaders: map[string]string{"X-FORWARDED-PROTO": "https"}}
	tests := []struct {
		name  string
		rules Rules
		conn  Conn
		mod   byte
		vars  []string
		want  map[string]string // the whole environ but for REQUEST_METHOD
	}{
		{"what nginx sends", Rules{}, proxy, 0, []string{
			"QUERY_STRING=a=1", "CONTENT_TYPE=", "CONTENT_LENGTH=", "REQUEST_URI=/x%20y?a=1", "PATH_INFO=/x y",
			"DOCUMENT_ROOT=/srv", "SERVER_PROTOCOL=HTTP/1.1", "REQUEST_SCHEME=https", "HTTPS=on",
			"REMOTE_ADDR=203.0.113.9", "REMOTE_PORT=4", "SERVER_PORT=443", "SERVER_NAME=example.org",
			"HTTP_HOST=example.org", "HTTP_COOKIE=a", "HTTP_COOKIE=b", "HTTP_X_A=1", "HTTP_X_A=2", "HTTP_CONTENT_LENGTH=9",
		}, map[string]string{
			"QUERY_STRING": "a=1", "REQUEST_URI": "/x%20y?a=1", "RAW_URI": "/x%20y?a=1", "PATH_INFO": "/x y",
			"DOCUMENT_ROOT": "/srv", "SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_SCHEME": "https", "HTTPS": "on",
			"REMOTE_ADDR": "203.0.113.9", "REMOTE_PORT": "4", "SERVER_PORT": "443", "SERVER_NAME": "example.org",
			"HTTP_HOST": "example.org", "HTTP_COOKIE": "a; b", "HTTP_X_A": "1,2", "wsgi.url_scheme": "https",
		}},
		{"least", Rules{}, proxy, 0, nil, map[string]string{
			"QUERY_STRING": "", "REQUEST_URI": "", "RAW_URI": "", "PATH_INFO": "", "SERVER_PROTOCOL": "HTTP/1.0",
			"REMOTE_ADDR": "127.0.0.1",
		}},
		{"no PATH_INFO", Rules{}, proxy, 0, []string{"REQUEST_URI=/a%62?c", "REMOTE_ADDR=1", "QUERY_STRING=c",
			"SERVER_PROTOCOL=x"}, map[string]string{
			"QUERY_STRING": "c", "REQUEST_URI": "/a%62?c", "RAW_URI": "/a%62?c", "PATH_INFO": "/ab", "SERVER_PROTOCOL": "x",
			"REMOTE_ADDR": "1",
		}},
		{"the last of two", Rules{}, proxy, 0, []string{"SERVER_NAME=a", "X=1", "SERVER_NAME=b", "X=2", "HTTP_HOST=a",
			"HTTP_HOST=b", "REQUEST_URI=/", "REMOTE_ADDR=1", "QUERY_STRING=", "SERVER_PROTOCOL=x"}, map[string]string{
			"SERVER_NAME": "b", "X": "2", "HTTP_HOST": "b", "REQUEST_URI": "/", "RAW_URI": "/", "PATH_INFO": "/",
			"REMOTE_ADDR": "1", "QUERY_STRING": "", "SERVER_PROTOCOL": "x",
		}},
		{"orders to the server", Rules{}, proxy, 0, []string{"UWSGI_FILE=/evil.py", "wsgi.input=x", "gunicorn.socket=x",
			"wsgi.url_scheme=https", "HTTP_X.Y=kept", "RAW_URI=/forged", "REQUEST_URI=/", "PATH_INFO=/", "REMOTE_ADDR=1",
			"QUERY_STRING=", "SERVER_PROTOCOL=x"}, map[string]string{
			"HTTP_X.Y": "kept", "REQUEST_URI": "/", "RAW_URI": "/", "PATH_INFO": "/", "REMOTE_ADDR": "1", "QUERY_STRING": "",
			"SERVER_PROTOCOL": "x",
		}},
		{"SCRIPT_NAME", Rules{ScriptName: "/other"}, proxy, 0, []string{"SCRIPT_NAME=/app", "PATH_INFO=/app/x"},
			map[string]string{"SCRIPT_NAME": "/app", "PATH_INFO": "/app/x"}},
		{"SCRIPT_NAME, managed", Rules{}, proxy, 30, []string{"SCRIPT_NAME=/app", "PATH_INFO=/app/x"},
			map[string]string{"SCRIPT_NAME": "/app", "PATH_INFO": "/x"}},
		{"the server's SCRIPT_NAME", Rules{ScriptName: "/shop"}, proxy, 0, []string{"PATH_INFO=/shop/x"},
			map[string]string{"PATH_INFO": "/x"}},
		{"UWSGI_SCHEME", Rules{}, proxy, 0, []string{"UWSGI_SCHEME=https"},
			map[string]string{"PATH_INFO": "", "wsgi.url_scheme": "https"}},
		{"UWSGI_SCHEME decides", Rules{}, proxy, 0, []string{"UWSGI_SCHEME=http", "HTTPS=on"},
			map[string]string{"PATH_INFO": "", "HTTPS": "on"}},
		{"forwarded scheme", scheme, proxy, 0, []string{"HTTP_X_FORWARDED_PROTO=https"},
			map[string]string{"PATH_INFO": "", "HTTP_X_FORWARDED_PROTO": "https", "wsgi.url_scheme": "https"}},
		{"forwarded scheme of a stranger", scheme, stranger, 0, []string{"HTTP_X_FORWARDED_PROTO=https"},
			map[string]string{"PATH_INFO": "", "HTTP_X_FORWARDED_PROTO": "https"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			frame := &Frame{}
			packet := packetOf(t, tt.mod, append([]string{"REQUEST_METHOD=GET"}, tt.vars...)...)
			if err := NewEncoder(tt.rules).EncodeVars(frame, packet, &tt.conn); err != nil {
				t.Fatal(err)
			}
			got := decode(t, frame)
			if got["REQUEST_METHOD"] != "GET" {
				t.Errorf("REQUEST_METHOD is %q", got["REQUEST_METHOD"])
			}
			delete(got, "REQUEST_METHOD")
			if len(tt.want) < 4 { // what "least" holds is not repeated
				for _, name := range []string{"QUERY_STRING", "REQUEST_URI", "RAW_URI", "SERVER_PROTOCOL", "REMOTE_ADDR"} {
					delete(got, name)
				}
			}
			if !maps.Equal(got, tt.want) {
				t.Errorf("environ\n%q, want\n%q", got, tt.want)
			}
		})
	}
}

func TestEncodeVarsOutsideTheMount(t *testing.T) {
	for modifier, vars := range map[byte][]string{
		0:  {"REQUEST_METHOD=GET", "PATH_INFO=/shopping"},
		30: {"REQUEST_METHOD=GET", "SCRIPT_NAME=/shop", "PATH_INFO=/shopping"},
	} {
		encoder := NewEncoder(Rules{ScriptName: "/shop"})
		err := encoder.EncodeVars(&Frame{}, packetOf(t, modifier, vars...), &Conn{})
		var refusal *http1.Refusal
		if !errors.As(err, &refusal) || refusal.Status != 500 {
			t.Errorf("modifier1 %d: %v", modifier, err)
		}
	}
}

func TestEncodeVarsAllocatesNothing(t *testing.T) {
	packet := packetOf(t, 0, "REQUEST_METHOD=GET", "REQUEST_URI=/a%20b", "HTTP_HOST=a", "HTTP_X_A=1", "DOCUMENT_ROOT=/x")
	encoder, frame, conn := NewEncoder(Rules{}), &Frame{}, &Conn{}
	if allocs := testing.AllocsPerRun(100, func() {
		if err := encoder.EncodeVars(frame, packet, conn); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
