package wsgi

import "testing"

func TestMount(t *testing.T) {
	for _, test := range []struct {
		name, script, header, target string
		status                       int
		want                         []string
	}{
		{"root", "", "", "/a", 0, []string{"PATH_INFO=/a", "SCRIPT_NAME"}},
		{"below", "/shop", "", "/shop/a", 0, []string{"PATH_INFO=/a", "SCRIPT_NAME"}},
		{"at", "/shop", "", "/shop", 0, []string{"PATH_INFO=", "SCRIPT_NAME"}},
		{"at, with slash", "/shop", "", "/shop/", 0, []string{"PATH_INFO=/"}},
		{"elsewhere", "/shop", "", "/a", 500, nil},
		{"same beginning", "/shop", "", "/shopping", 500, nil},
		{"other case", "/shop", "", "/Shop/a", 500, nil},
		{"encoded path", "/shop", "", "/%73hop/%61", 0, []string{"PATH_INFO=/a"}},
		{"encoded name", "/my%20shop", "", "/my%20shop/a", 0, []string{"PATH_INFO=/a"}},
		{"decoded name", "/my shop", "", "/my%20shop/a", 0, []string{"PATH_INFO=/a"}},
		{"final slash", "/shop/", "", "/shop/a", 0, []string{"PATH_INFO=a"}},
		{"server", "/shop", "", "*", 0, []string{"PATH_INFO=*"}},
		{"header", "", "/shop", "/shop/a", 0, []string{"PATH_INFO=/a", "SCRIPT_NAME=/shop", "HTTP_SCRIPT_NAME=/shop"}},
		{"header instead", "/shop", "/mall", "/mall/a", 0, []string{"PATH_INFO=/a", "SCRIPT_NAME=/mall"}},
		{"header, elsewhere", "/shop", "/mall", "/shop/a", 500, nil},
		{"header like the default", "/shop", "/shop", "/shop/a", 0, []string{"PATH_INFO=/a", "SCRIPT_NAME"}},
		{"header, encoded", "", "/my%20shop", "/my%20shop/a", 0, []string{"PATH_INFO=/a", "SCRIPT_NAME=/my%20shop"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			wire := "OPTIONS " + test.target + " HTTP/1.1\r\nHost: x\r\n"
			if test.header != "" {
				wire += "SCRIPT_NAME: " + test.header + "\r\n"
			}
			environ, status := encode(t, Rules{ScriptName: test.script}, proxied, wire+"\r\n")
			if status != test.status {
				t.Fatalf("status %d, want %d", status, test.status)
			}
			wantVariables(t, environ, test.want...)
		})
	}
}

// TestEmptyScriptNameHeader: a trusted peer can say that the application is at the root after all.
func TestEmptyScriptNameHeader(t *testing.T) {
	environ, status := encode(t, Rules{ScriptName: "/shop"}, proxied, get+"SCRIPT_NAME:\r\n\r\n")
	if status != 0 {
		t.Fatalf("refused with %d", status)
	}
	wantVariables(t, environ, "PATH_INFO=/", "SCRIPT_NAME=")
}

// TestUnquote: one pass over the bytes (RFC 3986 2.4: never decode twice).
func TestUnquote(t *testing.T) {
	for path, want := range map[string]string{
		"":              "",
		"/plain":        "/plain",
		"/a%20b":        "/a b",
		"/%2F%2f/":      "////",
		"//a":           "//a",
		"/a/../b":       "/a/../b",
		"/%2e%2e/":      "/../",
		"/%2520":        "/%20",
		"/%25%32%30":    "/%20",
		"/%zz":          "/%zz",
		"/%":            "/%",
		"/%4":           "/%4",
		"/%4%41":        "/%4A",
		"/%%41":         "/%A",
		"/%00":          "/\x00",
		"/caf%C3%a9+%e": "/caf\xc3\xa9+%e",
	} {
		if got := string(unquote(nil, []byte(path))); got != want {
			t.Errorf("unquote(%q) = %q, want %q", path, got, want)
		}
	}
}
