package wsgi

import (
	"errors"
	"strings"
	"testing"

	"github.com/pyhost/pyhost/protocol/http1"
)

// FuzzEncode: whatever the parser accepts becomes a well-formed frame that says what a simple reading of the rules
// says.
func FuzzEncode(f *testing.F) {
	for _, wire := range []string{
		small, browser, get + "X_A: 1\r\nX-A: 2\r\nx-a: 3\r\nCookie: a\r\nCookie: b\r\nSCRIPT_NAME: /shop\r\n\r\n",
		"GET /shop/%41%zz?q#f HTTP/1.1\r\nHost: x:1\r\nX-Forwarded-Proto: https\r\n\r\n",
		"OPTIONS http://[::1]:80 HTTP/1.0\r\nContent-Length: 0\r\nSCRIPT_NAME:\r\nPath-Info: a\r\nPATH_INFO: b\r\n\r\n",
	} {
		f.Add([]byte(wire), uint8(0))
		f.Add([]byte(wire), uint8(7))
	}
	parser, frame := http1.NewParser(defaultLimits), &Frame{}
	f.Fuzz(func(t *testing.T, wire []byte, flags uint8) {
		rules, conn := defaultRules, Conn{RemoteAddr: []byte("::1"), Trusted: flags&1 != 0, ListenerUnix: flags&2 != 0}
		if flags&4 != 0 {
			rules.ScriptName = "/shop"
		}
		if flags&8 != 0 {
			rules.ForwarderHeaders = []string{"*"}
		}
		req := &http1.Request{}
		if _, err := parser.Parse(wire, req); err != nil {
			return
		}
		err := NewEncoder(rules).Encode(frame, req, &conn)
		var refused *http1.Refusal
		if errors.As(err, &refused) {
			if refused.Status != 400 && refused.Status != 500 {
				t.Errorf("refused with %d", refused.Status)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		compare(t, decode(t, frame), headerVariables(req, conn.Trusted, flags&8 != 0))
	})
}

// headerVariables is the plain way to make variables of headers: a map, strings, no state.
func headerVariables(req *http1.Request, trusted, any bool) map[string]string {
	type variable struct {
		value     string
		forwarder bool
	}
	variables := map[string]variable{}
	for _, h := range req.Headers {
		name := string(h.Name)
		key := "HTTP_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		forwarder := strings.Contains(name, "_")
		content := key == "HTTP_CONTENT_TYPE" || key == "HTTP_CONTENT_LENGTH"
		listed := any || key == "HTTP_SCRIPT_NAME" || key == "HTTP_PATH_INFO"
		if forwarder && (!trusted || !listed || content) {
			continue
		}
		if content {
			key = strings.TrimPrefix(key, "HTTP_")
		}
		separator := ","
		if key == "HTTP_COOKIE" {
			separator = "; "
		}
		old, found := variables[key]
		switch {
		case !found, forwarder && !old.forwarder:
			variables[key] = variable{string(h.Value), forwarder}
		case forwarder == old.forwarder:
			variables[key] = variable{old.value + separator + string(h.Value), forwarder}
		}
	}
	plain := map[string]string{}
	for key, v := range variables {
		plain[key] = v.value
	}
	delete(plain, "HTTP_HOST")
	if len(req.Host) > 0 {
		plain["HTTP_HOST"] = string(req.Host)
	}
	return plain
}

func compare(t *testing.T, environ, want map[string]string) {
	t.Helper()
	for key, value := range environ {
		fromHeader := strings.HasPrefix(key, "HTTP_") || strings.HasPrefix(key, "CONTENT_")
		if expected, found := want[key]; fromHeader && (!found || expected != value) {
			t.Errorf("%s = %q, want %q (expected at all: %v)", key, value, expected, found)
		}
	}
	for key := range want {
		if _, found := environ[key]; !found {
			t.Errorf("%s is missing", key)
		}
	}
	for _, key := range []string{"REQUEST_METHOD", "RAW_URI", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR"} {
		if _, found := environ[key]; !found {
			t.Errorf("%s is missing", key)
		}
	}
}
