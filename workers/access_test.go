package workers

import (
	"strings"
	"testing"
)

// One line per request that an application has answered, failed ones included; the values are the request's own, also
// when another one lies behind it in the same buffer.
func TestAccessLog(t *testing.T) {
	const format = `%(h)s "%(r)s" %(m)s %(U)s?%(q)s %(H)s %(s)s %(B)s %({x-own}i)s %({content-length}o)s ` +
		`%({server_name}e)s %({path_info}e)s %({nothing}i)s`
	s := start(t, options{format: format, app: func(c *call) {
		if c.environ("PATH_INFO") == "/fail" {
			c.raise("boom")
			return
		}
		c.answer(201, "body")
	}})
	c := s.dial().send("GET /a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-Own: 1\r\n\r\n" + get("/2"))
	c.next("GET")
	c.next("GET")
	s.dial().send("POST /up HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi").next("POST")
	s.dial().send(get("/fail")).next("GET")
	s.w.access.Flush()
	want := []string{
		`127.0.0.1 "GET /a%20b?c=d HTTP/1.1" GET /a\x20b?c=d HTTP/1.1 201 4 1 4 n /a\x20b -`,
		`127.0.0.1 "GET /2 HTTP/1.1" GET /2? HTTP/1.1 201 4 - 4 n /2 -`,
		`127.0.0.1 "POST /up HTTP/1.0" POST /up? HTTP/1.0 201 4 - 4 n /up -`,
	}
	lines := strings.Split(strings.TrimSpace(s.file("access.log")), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	for i, line := range want {
		if lines[i] != line {
			t.Errorf("got  %s\nwant %s", lines[i], line)
		}
	}
	if !strings.Contains(lines[3], `"GET /fail HTTP/1.1" GET /fail? HTTP/1.1 500 `) {
		t.Errorf("the failed request is logged as %s", lines[3])
	}
}

func TestEqualFold(t *testing.T) {
	for _, k := range []struct {
		name, lower string
		want        bool
	}{
		{"Host", "host", true}, {"HOST", "host", true}, {"host", "host", true}, {"", "", true},
		{"Hosts", "host", false}, {"Hos", "host", false}, {"Hot_", "host", false}, {"X-A", "x_a", false},
	} {
		if equalFold([]byte(k.name), k.lower) != k.want {
			t.Errorf("%q, %q: not %v", k.name, k.lower, k.want)
		}
	}
}
