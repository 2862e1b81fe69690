package logging

import (
	"encoding/base64"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// find makes a lookup of names and values that follow each other.
func find(pairs ...string) func(string) ([]byte, bool) {
	return func(name string) ([]byte, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return []byte(pairs[i+1]), true
			}
		}
		return nil, false
	}
}

func basic(credentials string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
}

// sample is a request whose every field is known.
func sample() *Record {
	return &Record{
		RemoteAddr: []byte("192.0.2.7"),
		Method:     []byte("GET"), Target: []byte("/a%20b?x=1"), Path: []byte("/a b"), Query: []byte("x=1"),
		Protocol: []byte("HTTP/1.1"),
		Status:   200, BodyBytes: 1234,
		Start: time.Date(2026, 11, 21, 1, 16, 43, 0, time.UTC), Duration: 2*time.Second + 3456789*time.Nanosecond,
		PID: 4711,
		RequestHeader: find("authorization", basic("ann:secret"), "referer", "http://example.com/",
			"user-agent", "curl/8.0 (x)", "x-empty", ""),
		ResponseHead: []byte("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"),
		Environ:      find("remote_port", "40000", "wsgi.url_scheme", "http"),
	}
}

// line formats a record in a zone that is not the machine's.
func line(t *testing.T, format string, r *Record) string {
	t.Helper()
	f, err := compile(format)
	if err != nil {
		t.Fatal(err)
	}
	f.zone = time.FixedZone("", -(3*3600 + 30*60))
	return string(f.appendLine(nil, r))
}

func TestFormat(t *testing.T) {
	tests := []struct{ format, want string }{
		{DefaultAccessFormat, `192.0.2.7 - ann [20/Nov/2026:21:46:45 -0330] "GET /a%20b?x=1 HTTP/1.1" 200 1234 ` +
			`"http://example.com/" "curl/8.0 (x)"`},
		{"", ""},
		{"no atoms", "no atoms"},
		{"%(m)s|%(U)s|%(q)s|%(H)s", `GET|/a\x20b|x=1|HTTP/1.1`},
		{`"%(U)s"`, `"/a b"`},
		{"%(r)s", "GET /a%20b?x=1 HTTP/1.1"},
		{"%(s)s %(B)s %(b)s", "200 1234 1234"},
		{"%(T)s %(M)s %(D)s %(L)s", "2 2003 2003456 2.003456"},
		{"%(p)s", "<4711>"},
		{"%({user-agent}i)s", `curl/8.0\x20(x)`},
		{`"%({User-Agent}i)s"`, `"curl/8.0 (x)"`},
		{"[%({x-none}i)s][%({x-empty}i)s]", "[-][]"},
		{"%({Content-Type}o)s %({x-none}o)s", "text/html; charset=utf-8 -"},
		{"%({REMOTE_PORT}e)s %({wsgi.url_scheme}e)s %({x}e)s", "40000 http -"},
		{"100%% %(s)s%%", "100% 200%"},
		{"%(s)d %(D)i %(M)u %(T)ld", "200 2003456 2003 2"},
		{"%(s)5s|%(s)-5s|%(s)2s|", "  200|200  |200|"},
		{"%(D)10d|%(D)-10d|%(D)010d|", "   2003456|2003456   |0002003456|"},
		{"%(D)+10d|%(D)+010d|%(D) d|%(D) 010d", "  +2003456|+002003456| 2003456| 002003456"},
		{"%(D)-010d|%(D)+d|%(D)#d", "2003456   |+2003456|2003456"},
		{"%(m)05s|%(m)+5s|%(m)-05s|", "  GET|  GET|GET  |"},
		{"%(m).2s|%(m)5.2s|%(m)-5.2s|%(m).0s|%(m).s|", "GE|   GE|GE   |||"},
		{"%(h)-15s|", "192.0.2.7      |"},
		{"é %(m)s", "é GET"},
	}
	for _, tt := range tests {
		t.Run(tt.format, func(t *testing.T) {
			if got := line(t, tt.format, sample()); got != tt.want+"\n" {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestFormatOfNothing(t *testing.T) {
	tests := []struct{ format, want string }{
		{"%(h)s %(l)s %(u)s %(r)s %(m)s %(U)s %(H)s", "- - - - - - -"},
		{"[%(q)s]", "[]"},
		{"%(s)s %(s)d %(s)05d %(s)+d", "- -     - -"},
		{"%(b)s %(B)s", "0 0"},
		{"%(T)s %(M)s %(D)s %(L)s", "0 0 0 0.000000"},
		{`"%(f)s" "%(a)s" %({x}i)s %({x}o)s %({x}e)s`, `"-" "-" - - -`},
		{"%(p)s", "<" + strconv.Itoa(os.Getpid()) + ">"},
	}
	for _, tt := range tests {
		if got := line(t, tt.format, &Record{}); got != tt.want+"\n" {
			t.Errorf("%s: got %swant %s", tt.format, got, tt.want)
		}
	}
	if got := line(t, "%(b)s %(B)s %(L)s", &Record{BodyBytes: -1, Duration: -1}); got != "- 0 0.000000\n" {
		t.Errorf("negative values: got %s", got)
	}
	if got := line(t, "%(r)s", &Record{Method: []byte("GET")}); got != "GET - -\n" {
		t.Errorf("half a request line: got %s", got)
	}
	before := time.Now().Unix()
	got, err := time.Parse("[02/Jan/2006:15:04:05 -0700]\n", line(t, "%(t)s", &Record{}))
	if err != nil || got.Unix() < before || got.Unix() > time.Now().Unix() {
		t.Errorf("a record without a start has the time %v, %v", got, err)
	}
}

func TestUser(t *testing.T) {
	tests := []struct{ name, authorization, want string }{
		{"user and password", basic("ann:secret"), "ann"},
		{"no password", basic("ann"), "ann"},
		{"colon in the password", basic("ann:a:b"), "ann"},
		{"scheme in lower case", strings.Replace(basic("ann:x"), "Basic", "bAsIC", 1), "ann"},
		{"spaces around", "Basic   " + basic("ann:x")[6:] + "  ", "ann"},
		{"no user", basic(":secret"), "-"},
		{"another scheme", "Bearer YW5uOng=", "-"},
		{"a scheme that begins alike", "BasicYW5uOng=", "-"},
		{"nothing behind the scheme", "Basic", "-"},
		{"not base64", "Basic !!!!", "-"},
		{"cut off", "Basic YW5uO", "-"},
		{"a user that poses as fields", basic("a - [x] \"GET /\" 200:p"), `a\x20-\x20[x]\x20\"GET\x20/\"\x20200`},
		{"a user with a line end", basic("a\nb:p"), `a\x0ab`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &Record{RequestHeader: find("authorization", tt.authorization)}
			if got := line(t, "%(u)s", r); got != tt.want+"\n" {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestPrecisionKeepsEscapesWhole: a lone backslash at the end of a cut value would swallow the quote behind it.
func TestPrecisionKeepsEscapesWhole(t *testing.T) {
	r := &Record{RequestHeader: find("user-agent", `abcd" 200 "forged`)}
	if got := line(t, `"%(a).5s" x`, r); got != "\"abcd\" x\n" {
		t.Errorf("got %s", got)
	}
}

func TestSecondIsCached(t *testing.T) {
	f, err := compile("%(t)s")
	if err != nil {
		t.Fatal(err)
	}
	f.zone = time.UTC
	start := time.Date(2026, 11, 21, 1, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		offset time.Duration
		want   string
	}{
		{0, "01:00:00"}, {999 * time.Millisecond, "01:00:00"}, {time.Second, "01:00:01"},
		{500 * time.Millisecond, "01:00:00"}, {time.Hour, "02:00:00"},
	} {
		got := string(f.appendLine(nil, &Record{Start: start.Add(tt.offset)}))
		if want := "[21/Nov/2026:" + tt.want + " +0000]\n"; got != want {
			t.Errorf("after %v: got %s, want %s", tt.offset, got, want)
		}
	}
}

func TestLongDurationDoesNotWrap(t *testing.T) {
	r := &Record{Duration: 25*time.Hour + time.Microsecond}
	if got := line(t, "%(T)s %(L)s", r); got != "90000 90000.000001\n" {
		t.Errorf("got %s", got)
	}
}

func TestFormatErrors(t *testing.T) {
	tests := []struct {
		format string
		want   []string // parts of the message
	}{
		{"%(X)s", []string{`unknown atom "X"`, validAtoms}},
		{"%()s", []string{`unknown atom ""`, validAtoms}},
		{"%(hh)s", []string{`unknown atom "hh"`}},
		{"%({}i)s", []string{`unknown atom "{}i"`}},
		{"%({x})s", []string{`unknown atom "{x}"`}},
		{"%({x}z)s", []string{`unknown atom "{x}z"`, "{header}i"}},
		{"%(x}i)s", []string{`unknown atom "x}i"`}},
		{"%h %l", []string{`"%h %l" is not of the form %(atom)s`, "%%"}},
		{"100%", []string{`"%" is not of the form`}},
		{"%(h", []string{`"%(h" is not of the form`}},
		{"%s" + strings.Repeat("x", 100), []string{`"%sxxxxxxxxxxxxxxxxxx..."`}},
		{"%(h)", []string{`"%(h)"`, "conversion is missing", "end it in s"}},
		{"%(D)5", []string{`"%(D)5"`, "end it in s or d"}},
		{"%(h)d", []string{`"%(h)d"`, "'d' does not fit", "end it in s"}},
		{"%(D)x", []string{`"%(D)x"`, "'x' does not fit", "s or d"}},
		{"%(T).2f", []string{`"%(T).2f"`, "'f' does not fit"}},
		{"%(D).5d", []string{`"%(D).5d"`, "no precision", "%(atom)05d"}},
		{"%(h)*s", []string{"the width is an asterisk"}},
		{"%(h).*s", []string{"the precision is an asterisk"}},
		{"%(h)1001s", []string{"the width is too large: 1000"}},
		{"%(h)99999999999999999999s", []string{"the width is too large"}},
		{"%(h)s %(h) ", []string{`"%(h) "`, "conversion is missing"}},
	}
	for _, tt := range tests {
		t.Run(tt.format, func(t *testing.T) {
			_, err := OpenAccess("-", tt.format)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range append(tt.want, "access log format") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

// TestValidAtoms keeps the list in the message and the tables together.
func TestValidAtoms(t *testing.T) {
	listed := strings.Fields(validAtoms)
	if want := len(atoms) + len(numbers) + len(named); len(listed) != want {
		t.Errorf("%d atoms are listed, %d exist", len(listed), want)
	}
	for _, name := range listed {
		if _, err := compile("%(" + name + ")s"); err != nil {
			t.Error(err)
		}
	}
}
