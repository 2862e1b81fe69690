package tests

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// changing are the atoms whose values differ from run to run: only their form is compared.
var changing = map[string]*regexp.Regexp{
	"t": regexp.MustCompile(`^\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]$`),
	"T": regexp.MustCompile(`^\d+$`), "M": regexp.MustCompile(`^\d+$`), "D": regexp.MustCompile(`^\d+$`),
	"L": regexp.MustCompile(`^\d+\.\d{6}$`), "p": regexp.MustCompile(`^<\d+>$`),
}

// The values of every atom are gunicorn's: testdata has what gunicorn 27.0 wrote for the same requests to the same
// application.
func TestAccessLogAtomsAreGunicorns(t *testing.T) {
	content, err := os.ReadFile("testdata/gunicorn-access-log.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded []struct {
		Request string
		Atoms   map[string]string
	}
	if err := json.Unmarshal(content, &recorded); err != nil || len(recorded) == 0 {
		t.Fatalf("%d recordings, %v", len(recorded), err)
	}
	var names, fields []string
	for name := range recorded[0].Atoms {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fields = append(fields, `"%(`+name+`)s"`)
	}
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "hello", Kind: kind, Args: []string{"--access-logfile", "-",
			"--access-logformat", strings.Join(fields, "\t")}})
		for i, r := range recorded {
			s.Do(r.Request)
			eventually(t, "a line", func() bool { return strings.Count(s.Output(), "\n") == i+1 })
			values := strings.Split(strings.Split(s.Output(), "\n")[i], "\t")
			if len(values) != len(names) {
				t.Fatalf("line %q", values)
			}
			for j, name := range names {
				value, form := strings.Trim(values[j], `"`), changing[name]
				if form == nil && value != r.Atoms[name] || form != nil && !form.MatchString(value) {
					t.Errorf("%.20q: %s is %q, gunicorn's %q", r.Request, name, value, r.Atoms[name])
				}
			}
		}
	})
}

// The atoms that gunicorn has not.
func TestAccessLogOwnAtoms(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "exceptions", Kind: kind, Args: []string{"--access-logfile", "-", "--access-logformat",
			"%(s)s %(outcome)s %(bytes_in)s %(first_byte)s %(queued)s %(request_id)s"}})
		s.Expect("Error handling request|Invalid request|left in the middle")
		next := func(pattern string) {
			t.Helper()
			lines := strings.Count(s.Output(), "\n")
			last := func() string { return strings.Join(strings.SplitAfter(s.Output(), "\n")[max(lines-1, 0):], "") }
			eventuallyMatches(t, last, "(?m)^"+pattern+"$")
		}
		s.Do("POST /pid/ HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc")
		next(`200 answered 3 0\.\d{6} 0\.\d{6} -`)
		s.Get("/raise_before_start/value")
		next(`500 failed 0 - 0\.\d{6} -`)
		s.Do("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n")
		next(`400 refused - - - -`)
		c := s.Dial()
		c.Send("POST /pid/ HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\na")
		c.Close()
		next(`- client-gone - - - -`)
	})
}
