package http1

import (
	"strings"
	"testing"
)

func TestLimits(t *testing.T) {
	lines := func(n, size int) string { // n header lines of size bytes each
		return strings.Repeat("A:"+strings.Repeat("b", size-4)+"\r\n", n)
	}
	target := func(size int) string { // a request line of size bytes without CRLF
		return "GET /" + strings.Repeat("a", size-len("GET / HTTP/1.1")) + " HTTP/1.1\r\n"
	}
	for _, test := range []struct {
		name   string
		limits Limits
		wire   string
		status int
	}{
		{"request line fits", Limits{RequestLine: 20}, target(20) + "Host: x\r\n\r\n", 0},
		{"request line after an empty line fits", Limits{RequestLine: 20}, "\r\n" + target(20) + "Host: x\r\n\r\n", 0},
		{"request line one too long", Limits{RequestLine: 20}, target(21) + "Host: x\r\n\r\n", 414},
		{"request line too long is refused before its end", Limits{RequestLine: 20}, "GET /67890123456789012", 414},
		{"request line may still end", Limits{RequestLine: 20}, "GET /6789012345678901", -1},
		{"wrong method comes before the limit", Limits{RequestLine: 20}, "get /678901234567890123456789", 400},
		{"request line beyond gunicorn's 8190", Limits{RequestLine: 16000}, target(16000) + "Host: x\r\n\r\n", 0},
		{"request line without limit", Limits{}, target(500_000) + "Host: x\r\n\r\n", 0},
		{"request line larger than any head", Limits{}, target(1<<20) + "Host: x\r\n\r\n", 414},
		{"header line fits", Limits{FieldSize: 20}, get + lines(1, 20) + "\r\n", 0},
		{"header line one too long", Limits{FieldSize: 20}, get + lines(1, 21) + "\r\n", 431},
		{"header line too long is refused before its end", Limits{FieldSize: 20}, get + "A:345678901234567890", 431},
		{"header line may still end", Limits{FieldSize: 20}, get + "A:3456789012345678\r", -1},
		{"header line without limit", Limits{}, get + lines(1, 500_000) + "\r\n", 0},
		{"fields fit", Limits{Fields: 3}, get + lines(2, 10) + "\r\n", 0},
		{"one field too many", Limits{Fields: 3}, get + lines(3, 10) + "\r\n", 431},
		{"fields without limit", Limits{}, get + lines(32767, 8) + "\r\n", 0},
		{"more fields than are ever allowed", Limits{}, get + lines(32768, 8) + "\r\n", 431},
		{"head larger than any", Limits{}, get + lines(3, 400_000) + "\r\n", 431},
		{"endless head larger than any", Limits{}, get + lines(2, 400_000) + "A:" + strings.Repeat("b", 300_000), 431},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := parseEverySplit(t, test.limits, test.wire); got.status != test.status {
				t.Errorf("status %d (%s), want %d", got.status, got.text, test.status)
			}
		})
	}
}
