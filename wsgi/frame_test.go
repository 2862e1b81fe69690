package wsgi

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/pyhost/pyhost/protocol/http1"
)

// decode reads a frame as C does, and fails if it is not well formed.
func decode(t testing.TB, frame *Frame) map[string]string {
	t.Helper()
	environ := map[string]string{}
	at := frame.Buf
	for range frame.Entries {
		if len(at) < 8 {
			t.Fatalf("frame ends inside an entry: %q", frame.Buf)
		}
		key, size := binary.LittleEndian.Uint32(at), int(binary.LittleEndian.Uint32(at[4:]))
		at = at[8:]
		name := ""
		if key&CustomKey != 0 {
			length := int(key &^ CustomKey)
			name, at = string(at[:length]), at[length:]
			for _, known := range Keys {
				if name == known {
					t.Errorf("%s has an index but is written out", name)
				}
			}
		} else {
			name = Keys[key]
		}
		if _, twice := environ[name]; twice {
			t.Errorf("%s occurs twice", name)
		}
		environ[name], at = string(at[:size]), at[size:]
	}
	if len(at) > 0 {
		t.Fatalf("%d bytes behind the last entry", len(at))
	}
	return environ
}

// parse returns the request that wire is.
func parse(t testing.TB, wire string) *http1.Request {
	t.Helper()
	req := &http1.Request{}
	if _, err := http1.NewParser(defaultLimits).Parse([]byte(wire), req); err != nil {
		t.Fatalf("%q: %v", wire, err)
	}
	return req
}

// encode returns the environ of wire, or the status with which it is refused.
func encode(t testing.TB, rules Rules, conn Conn, wire string) (environ map[string]string, status int) {
	t.Helper()
	frame := &Frame{}
	err := NewEncoder(rules).Encode(frame, parse(t, wire), &conn)
	var refused *http1.Refusal
	if errors.As(err, &refused) {
		return nil, refused.Status
	}
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, frame), 0
}

// wantVariables checks "KEY=value" pairs; "KEY" alone means that the variable must be absent.
func wantVariables(t *testing.T, environ map[string]string, want ...string) {
	t.Helper()
	for _, pair := range want {
		key, value, present := strings.Cut(pair, "=")
		got, found := environ[key]
		if found != present || got != value {
			t.Errorf("%s = %q (present: %v), want %q (present: %v)", key, got, found, value, present)
		}
	}
}

func TestKeysAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, key := range Keys {
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
	}
	for key, name := range map[uint32]string{
		keyURLScheme: "wsgi.url_scheme", keyServerPort: "SERVER_PORT", keyContentLength: "CONTENT_LENGTH",
		keyHTTPHost: "HTTP_HOST", keyHTTPCookie: "HTTP_COOKIE", keyOtherHeaders: "HTTP_ACCEPT",
	} {
		if Keys[key] != name {
			t.Errorf("Keys[%d] = %s, want %s", key, Keys[key], name)
		}
	}
}

// TestLookup: every name is found in any case, quickly, and nothing else is.
func TestLookup(t *testing.T) {
	for _, name := range append([]string{"host", "cookie", "content-type", "content-length"}, otherHeaders...) {
		want := "HTTP_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if strings.HasPrefix(name, "content-type") || strings.HasPrefix(name, "content-length") {
			want = want[len("HTTP_"):]
		}
		for _, spelled := range []string{name, strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]} {
			if key, known := lookup([]byte(spelled)); !known || Keys[key] != want {
				t.Errorf("lookup(%s) = %d, %v, want the key of %s", spelled, key, known, want)
			}
		}
		for _, other := range []string{name + "x", "x" + name, name[1:] + "~", name + "_"} {
			if _, known := lookup([]byte(other)); known {
				t.Errorf("lookup(%s) found something", other)
			}
		}
		probes := 1
		for slot := lookupSlot([]byte(name)); lookupTable[slot].name != name; slot = (slot + 1) % lookupSize {
			probes++
		}
		if probes > 4 {
			t.Errorf("%s is found at the %dth probe", name, probes)
		}
	}
	if _, known := lookup([]byte("user_agent")); known {
		t.Error("a name with _ was found")
	}
}
