package config

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestHelp(t *testing.T) {
	help := Help()
	for i, line := range strings.Split(help, "\n") {
		if utf8.RuneCountInString(line) > helpWidth || line != strings.TrimRight(line, " ") {
			t.Errorf("line %d is too long or ends with a space: %q", i+1, line)
		}
	}
	at := 0 // settings and sections come in the order of the table
	section := ""
	for _, s := range Settings() {
		if s.Section != section {
			section = s.Section
			if strings.Count(help, "\n"+section+":\n") != 1 {
				t.Errorf("section %s is not there once", section)
			}
		}
		next := strings.Index(help[at:], "\n"+s.helpLabel())
		if next < 0 {
			t.Fatalf("%s is not described after the setting before it", s.Name)
		}
		at += next + 1
		entry, _, _ := strings.Cut(help[at:], "]\n")
		entry = strings.Join(strings.Fields(entry), " ")
		if !strings.Contains(entry, s.Doc) || !strings.Contains(entry, s.helpNote()) {
			t.Errorf("%s is described as %q", s.Name, entry)
		}
		if len(s.Flags) > 0 && fold(s.Flags[0]) != s.Name && !strings.Contains(entry, "key: "+s.Name+";") {
			t.Errorf("the key of %s is not shown: %q", s.Name, entry)
		}
	}
}

func TestHelpEntries(t *testing.T) {
	help := Help()
	for _, want := range []string{
		"\n      --no-sendfile         Turns this off: Have the kernel send the files",
		"Usage: pyhost [OPTIONS] [APP_MODULE]\n",
		`
  -w, --workers INT         How many worker processes to run. auto is 2 * CPUs +
                            1, of those that the process may use: the affinity
                            and the cgroup's quota count. 0 starts none:
                            connections wait until the signal TTIN adds one.
                            [default: $WEB_CONCURRENCY, else 1]
`, `
      --keep-alive SECONDS  How many seconds an idle connection waits for its
                            next request. 0 closes it after each response.
                            [key: keepalive; default: 2]
`, `
      --error-logfile, --log-file FILE
                            The file for the error log; - is the standard error.
                            [key: errorlog; default: -]
`, `
  -h, --help                Show this text and exit.
  -v, --version             Show the version and exit.
`,
	} {
		if !strings.Contains(help, want) {
			t.Errorf("the help text has no\n%s\nit is\n%s", want, help)
		}
	}
}
