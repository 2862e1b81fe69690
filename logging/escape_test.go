package logging

import "testing"

func TestAppendEscaped(t *testing.T) {
	tests := []struct {
		name, value, quoted, bare string
	}{
		{"nothing", "", ``, ``},
		{"plain", "/a/b?c=d'&e", `/a/b?c=d'&e`, `/a/b?c=d'&e`},
		{"space", "a b", `a b`, `a\x20b`},
		{"quote", `a"b`, `a\"b`, `a\"b`},
		{"backslash", `a\b`, `a\\b`, `a\\b`},
		{"backslash before quote", `\"`, `\\\"`, `\\\"`},
		{"a client that writes an escape", `\x0a`, `\\x0a`, `\\x0a`},
		{"line end", "a\r\nb", `a\x0d\x0ab`, `a\x0d\x0ab`},
		{"tab, NUL, escape", "\t\x00\x1b", `\x09\x00\x1b`, `\x09\x00\x1b`},
		{"delete", "\x7f", `\x7f`, `\x7f`},
		{"tilde is the last plain one", "~", `~`, `~`},
		{"UTF-8", "é", `\xc3\xa9`, `\xc3\xa9`},
		{"latin-1", "\xe9\xff", `\xe9\xff`, `\xe9\xff`},
		{"at both ends", "\"a\"", `\"a\"`, `\"a\"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(appendEscaped([]byte("<"), []byte(tt.value), false)); got != "<"+tt.quoted {
				t.Errorf("quoted: got %s, want <%s", got, tt.quoted)
			}
			if got := string(appendEscaped([]byte("<"), []byte(tt.value), true)); got != "<"+tt.bare {
				t.Errorf("bare: got %s, want <%s", got, tt.bare)
			}
		})
	}
}

func TestCutEscaped(t *testing.T) {
	tests := []struct {
		text  string
		limit int
		want  string
	}{
		{`abc`, 5, `abc`},
		{`abc`, 3, `abc`},
		{`abc`, 2, `ab`},
		{`abc`, 0, ``},
		{`ab\"c`, 3, `ab`},
		{`ab\"c`, 4, `ab\"`},
		{`a\\\"`, 4, `a\\`},
		{`a\x0ab`, 4, `a`},
		{`a\x0ab`, 5, `a\x0a`},
		{`\x0a`, 3, ``},
	}
	for _, tt := range tests {
		if got := tt.text[:cutEscaped([]byte(tt.text), tt.limit)]; got != tt.want {
			t.Errorf("%s cut to %d: got %s, want %s", tt.text, tt.limit, got, tt.want)
		}
	}
}
