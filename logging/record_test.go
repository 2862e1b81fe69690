package logging

import "testing"

func TestFindHeader(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Empty:\r\nX-Space: \t a b \t\r\n" +
		"Set-Cookie: a=1\r\nSET-COOKIE: b=2\r\nX-Colon: a:b\r\n\r\nLocation: /body\r\n"
	tests := []struct {
		name, head, header, want string
		found                    bool
	}{
		{"other case", head, "content-type", "text/html", true},
		{"upper case asked for", head, "CONTENT-TYPE", "text/html", true},
		{"empty value", head, "x-empty", "", true},
		{"white space around", head, "x-space", "a b", true},
		{"the last of several", head, "set-cookie", "b=2", true},
		{"colon in the value", head, "x-colon", "a:b", true},
		{"not there", head, "x-none", "", false},
		{"beginning of a name", head, "content", "", false},
		{"longer than a name", head, "content-typeset", "", false},
		{"in the body", head, "location", "", false},
		{"in the status line", "A: b\r\nC: d\r\n\r\n", "a", "", false},
		{"LF alone", "HTTP/1.1 200 OK\nServer: x\n\n", "server", "x", true},
		{"cut off", "HTTP/1.1 200 OK\r\nServer: x", "server", "x", true},
		{"status line only", "HTTP/1.1 200 OK", "server", "", false},
		{"Kelvin sign is no k", "HTTP/1.1 200 OK\r\n\u212a: x\r\n", "k", "", false},
		{"no head", "", "server", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, found := FindHeader([]byte(tt.head), tt.header)
			if string(got) != tt.want || found != tt.found {
				t.Errorf("got %q, %v, want %q, %v", got, found, tt.want, tt.found)
			}
		})
	}
}
