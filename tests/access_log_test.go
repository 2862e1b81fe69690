package tests

import (
	"regexp"
	"strings"
	"testing"
)

const ordinaryRequest = "GET /page?q=1 HTTP/1.1\r\nHost: test\r\n" +
	"User-Agent: a \"quoted\" agent\r\nReferer: http://from/\r\n\r\n"

func TestAccessLog(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Kind: kind, Args: []string{"--access-logfile", "-"}})
		s.Do(ordinaryRequest)
		line := `^127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /page\?q=1 HTTP/1\.1" 200 14 ` +
			`"http://from/" "a (\\"|\\x22)quoted(\\"|\\x22) agent"\n$`
		eventually(t, "a line", func() bool { return strings.Contains(s.Output(), "\n") })
		if !regexp.MustCompile(line).MatchString(s.Output()) {
			t.Errorf("access log %q", s.Output())
		}
	})
}

func TestAccessLogFormat(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Kind: kind, Args: []string{"--access-logfile", "-", "--access-logformat",
			`%(m)s|%(U)s|%(q)s|%(H)s|%(s)s|%(B)s|%(b)s|%({host}i)s|%({content-type}o)s|%({x-none}i)s|%({server_name}e)s|%(p)s`}})
		s.Do(ordinaryRequest)
		want := "GET|/page|q=1|HTTP/1.1|200|14|14|test|text/plain|-|127.0.0.1|<" + itoa(s.Workers()[0]) + ">\n"
		eventually(t, "a line", func() bool { return strings.Contains(s.Output(), "\n") })
		if s.Output() != want {
			t.Errorf("access log %q, want %q", s.Output(), want)
		}
	})
}

// One line per request, of failures too, and nothing that a client sends makes a second one.
func TestAccessLogIsCompleteAndHonest(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "exceptions", Kind: kind, Args: []string{"--access-logfile", "-",
			"--access-logformat", `%(s)s %(U)s %(a)s`}})
		s.Expect(`Error handling request`)
		s.Get("/pid/")
		// A line is written after its response: two threads may write theirs in either order.
		eventually(t, "a line", func() bool { return strings.Count(s.Output(), "\n") == 1 })
		s.Get("/raise_before_start/value")
		eventually(t, "two lines", func() bool { return strings.Count(s.Output(), "\n") == 2 })
		s.Get("/raise_after_block/value")
		eventually(t, "three lines", func() bool { return strings.Count(s.Output(), "\n") == 3 })
		s.Do("GET /pid/%0A200%20/forged HTTP/1.1\r\nHost: test\r\n\r\n")
		eventually(t, "four lines", func() bool { return strings.Count(s.Output(), "\n") >= 4 })
		lines := strings.Split(strings.TrimSpace(s.Output()), "\n")
		if len(lines) != 4 {
			t.Fatalf("lines %q", lines)
		}
		for i, start := range []string{"200 /pid/ ", "500 /raise_before_start/value ", "200 /raise_after_block/value "} {
			if !strings.HasPrefix(lines[i], start) {
				t.Errorf("line %d is %q", i, lines[i])
			}
		}
	})
}
