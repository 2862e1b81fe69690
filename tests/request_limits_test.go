package tests

import (
	"bufio"
	"crypto/tls"
	"io"
	"strings"
	"testing"
)

// The limits of requests hold for every protocol, whole or in pieces, and nothing that is too large reaches the
// application.
func TestLimitsOfEveryProtocol(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	s := startTLS(t, authority, Options{App: "framing", Kind: gthreadKind,
		Bind: []string{"https://127.0.0.1:0", "uwsgi://127.0.0.2:0"},
		Args: []string{"--http-protocols", "h2,h1", "--limit-request-body", "1000", "--limit-request-fields", "20",
			"--limit-request-line", "100", "--limit-request-field-size", "200"}})
	s.Expect(`Invalid request from ip=127\.0\.0\.1: body larger than limit_request_body \(413\)`)
	s.Expect(`Invalid request from ip=127\.0\.0\.1: uwsgi: CONTENT_LENGTH is larger than any body can be \(413\)`)
	s.Expect(`Invalid request from ip=127\.0\.0\.1: [^\n]*limit_request_(line|fields|field_size)[^\n]* \(4[13][14]\)`)

	client := http2Client(t, authority, s)
	unknown := func(length int) io.Reader { return io.MultiReader(strings.NewReader(strings.Repeat("x", length))) }
	many := strings.Split(strings.Repeat("X-A: 1\n", 20)+"X-A: 1", "\n")
	for _, test := range []struct {
		what    string
		body    io.Reader
		headers []string
		status  int
	}{
		{"POST /", strings.NewReader(strings.Repeat("x", 1000)), nil, 200},
		{"POST /", strings.NewReader(strings.Repeat("x", 1001)), nil, 413},
		{"POST /", unknown(1000), nil, 200},
		{"POST /", unknown(1001), nil, 413},
		{"/" + strings.Repeat("a", 100), nil, nil, 414},
		{"/", nil, []string{"X-A: " + strings.Repeat("a", 200)}, 431},
		{"/", nil, many, 431},
		{"/", nil, nil, 200},
	} {
		if r, _ := h2(t, client, test.what, test.body, test.headers...); r.StatusCode != test.status {
			t.Errorf("HTTP/2 %.20s: %d, want %d", test.what, r.StatusCode, test.status)
		}
	}

	for length, status := range map[string]int{"1000": 200, "1001": 413, "99999999999999999999": 413} {
		packet := uwsgiPacket(0, "REQUEST_METHOD=POST", "PATH_INFO=/", "CONTENT_LENGTH="+length)
		for _, size := range []int{len(packet), 7} {
			c := s.DialTo(s.Addresses[1])
			c.SendSplit(packet, size)
			if status == 200 {
				c.Send(strings.Repeat("x", 1000))
			}
			if r := c.Next("POST"); r.Status != status {
				t.Errorf("uwsgi, %s bytes: %d, want %d", length, r.Status, status)
			}
			c.ExpectClosed()
		}
	}
}

// Who reads the answer only after the last byte of an upload gets it all the same.
func TestRefusedUploadIsAnswered(t *testing.T) {
	t.Parallel()
	authority := NewAuthority(t)
	s := startTLS(t, authority, Options{App: "upload", Args: []string{"--limit-request-body", "1000"},
		Bind: []string{"http://127.0.0.1:0", "https://127.0.0.2:0"}})
	s.Expect(`Invalid request from ip=127\.0\.0\.1: [^\n]+ \(413\)`)
	tunnel := tls.Client(s.DialTo(s.Addresses[1]).Conn, &tls.Config{RootCAs: authority.Pool, ServerName: "example.org"})
	for _, c := range []*Conn{s.Dial(), {t: t, Conn: tunnel, reader: bufio.NewReader(tunnel)}} {
		c.Send(post("/", strings.Repeat("x", 16<<20)))
		if r := c.Next("POST"); r.Status != 413 || !r.Closes() {
			t.Errorf("status %d", r.Status)
		}
	}
}
