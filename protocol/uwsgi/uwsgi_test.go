package uwsgi

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/pyhost/pyhost/protocol/http1"
)

// block is variables, NAME, VALUE, NAME, VALUE..., in the form of the packet.
func block(pairs ...string) []byte {
	var b []byte
	for _, text := range pairs {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
		b = append(b, text...)
	}
	return b
}

func packet(modifier1 byte, block []byte) []byte {
	b := []byte{modifier1, 0, 0, 0}
	binary.LittleEndian.PutUint16(b[1:], uint16(len(block)))
	return append(b, block...)
}

func TestParse(t *testing.T) {
	vars := block("QUERY_STRING", "a=1", "REQUEST_METHOD", "POST", "CONTENT_LENGTH", "3", "REQUEST_URI", "/x%20y?a=1",
		"HTTP_X_A", "1", "HTTP_HOST", "example.org", "CONTENT_TYPE", "")
	raw := packet(0, vars)
	var p Packet
	n, err := Parse(append(raw, "abc"...), MaxSize, &p)
	if err != nil || n != len(raw) || p.Request.HeadLen != n {
		t.Fatalf("%d of %d, %v", n, len(raw), err)
	}
	r := &p.Request
	if string(r.Method) != "POST" || string(r.Target) != "/x%20y?a=1" || string(r.Path) != "/x%20y" ||
		string(r.Query) != "a=1" || r.ContentLength != 3 || string(r.Host) != "example.org" ||
		r.Minor != 0 || r.KeepAlive || p.Managed || p.Ping {
		t.Errorf("request %+v", r)
	}
	if len(p.Vars) != 7 || len(r.Headers) != 2 || string(r.Headers[0].Name) != "x-a" ||
		string(r.Headers[1].Name) != "host" {
		t.Errorf("%d variables, headers %q", len(p.Vars), r.Headers)
	}
	for n := range raw {
		if _, err := Parse(raw[:n], MaxSize, &p); !errors.Is(err, http1.ErrIncomplete) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	if _, err := Parse(packet(30, vars), MaxSize, &p); err != nil || !p.Managed {
		t.Errorf("modifier1 30: %v, %v", p.Managed, err)
	}
	p.Request.ContentLength = 5 // of the packet before
	if n, err := Parse(packet(100, nil), MaxSize, &p); err != nil || n != 4 || !p.Ping || p.Request.ContentLength != 0 {
		t.Errorf("ping: %d, %v, %v, %+v", n, p.Ping, err, p.Request)
	}
}

func TestParseTheLastOfTwoCounts(t *testing.T) {
	var p Packet
	_, err := Parse(packet(0, block("REQUEST_METHOD", "GET", "REQUEST_METHOD", "HEAD")), MaxSize, &p)
	if err != nil || string(p.Request.Method) != "HEAD" {
		t.Errorf("%s, %v", p.Request.Method, err)
	}
}

func TestParseRefuses(t *testing.T) {
	get := block("REQUEST_METHOD", "GET")
	cut := packet(0, get)
	cut[1]--
	tests := []struct {
		name, raw string
		limit     int
		status    int
		rule      string
	}{
		{"HTTP", "GET / HTTP/1.1\r\n", MaxSize, 400, "modifier1 is 71 (G): does the client speak HTTP?"},
		{"one byte of HTTP", "P", MaxSize, 400, "does the client speak HTTP?"},
		{"eval", string(packet(22, nil)), MaxSize, 400, "modifier1 is 22, only 0, 30 and 100 are served"},
		{"modifier2", "\x00\x00\x00\x01", MaxSize, 400, "modifier2 is 1"},
		{"larger than the limit", string(packet(0, make([]byte, 5000))), 4096, 400,
			"packet of 5000 bytes, the limit (uwsgi_buffer_size) is 4096"},
		{"overrun", string(cut), MaxSize, 400, "variable 1 overruns the packet of 20 bytes; more than 65535 cannot be sent"},
		{"half a length", string(packet(0, append(get, 1))), MaxSize, 400, "variable 2 overruns"},
		{"name alone", string(packet(0, append(get, block("X")...))), MaxSize, 400, "variable 2 overruns"},
		{"no name", string(packet(0, block("", "x"))), MaxSize, 400, "the name of variable 1 is empty"},
		{"NUL in a name", string(packet(0, block("A\x00", "x"))), MaxSize, 400, "not printable"},
		{"= in a name", string(packet(0, block("A=B", "x"))), MaxSize, 400, "not printable"},
		{"too many", string(packet(0, []byte(strings.Repeat(string(block("A", "")), 1001)))), MaxSize, 400,
			"more than 1000 variables"},
		{"no method", string(packet(0, nil)), MaxSize, 400, "REQUEST_METHOD is missing"},
		{"method with a space", string(packet(0, block("REQUEST_METHOD", "GET /"))), MaxSize, 400, "no method"},
		{"length with a sign", string(packet(0, append(get, block("CONTENT_LENGTH", "+1")...))), MaxSize, 400,
			"CONTENT_LENGTH is not a decimal number"},
		{"length too large", string(packet(0, append(get, block("CONTENT_LENGTH", "9223372036854775808")...))), MaxSize,
			413, "CONTENT_LENGTH is larger"},
		{"two lengths", string(packet(0, append(get, block("CONTENT_LENGTH", "1", "CONTENT_LENGTH", "2")...))), MaxSize,
			400, "two different CONTENT_LENGTH"},
		{"newline in a header", string(packet(0, append(get, block("HTTP_A", "1\n2")...))), MaxSize, 400,
			"control character in HTTP_A"},
		{"newline in the target", string(packet(0, append(get, block("REQUEST_URI", "/\r\n")...))), MaxSize, 400,
			"control character in REQUEST_URI"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p Packet
			_, err := Parse([]byte(tt.raw), tt.limit, &p)
			var refusal *http1.Refusal
			if !errors.As(err, &refusal) || refusal.Status != tt.status || !strings.Contains(refusal.Rule, tt.rule) {
				t.Errorf("%v, want %d %s", err, tt.status, tt.rule)
			}
		})
	}
}

// FuzzParse holds that no input makes Parse fail in another way than it may, that a packet's parts lie within it, and
// that the outcome does not depend on what follows the packet.
func FuzzParse(f *testing.F) {
	f.Add(packet(0, block("REQUEST_METHOD", "GET", "HTTP_A_B", "1", "CONTENT_LENGTH", "12")), 4096)
	f.Add(packet(30, block("REQUEST_METHOD", "GET", "SCRIPT_NAME", "/a")), MaxSize)
	f.Add(packet(100, nil), 0)
	f.Add([]byte("GET / HTTP/1.0\r\n\r\n"), MaxSize)
	f.Fuzz(func(t *testing.T, raw []byte, limit int) {
		var p Packet
		n, err := Parse(raw, limit, &p)
		var refusal *http1.Refusal
		switch {
		case err == nil:
		case errors.Is(err, http1.ErrIncomplete):
			return
		case errors.As(err, &refusal) && refusal.Status >= 400:
			return
		default:
			t.Fatalf("error %v", err)
		}
		if n < headerSize || n > len(raw) {
			t.Fatalf("%d of %d bytes", n, len(raw))
		}
		total := 0
		for _, v := range p.Vars {
			total += 4 + len(v.Name) + len(v.Value)
		}
		if !p.Ping && total != n-headerSize {
			t.Fatalf("variables of %d bytes in a packet of %d", total, n)
		}
		var again Packet
		if m, err := Parse(raw[:n], limit, &again); m != n || err != nil {
			t.Fatalf("the packet alone: %d, %v", m, err)
		}
	})
}

func TestParseAllocatesNothing(t *testing.T) {
	raw := packet(0, block("REQUEST_METHOD", "GET", "REQUEST_URI", "/", "HTTP_HOST", "a", "HTTP_ACCEPT", "*/*"))
	var p Packet
	if allocs := testing.AllocsPerRun(100, func() {
		if _, err := Parse(raw, MaxSize, &p); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
