package config

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// ini is a PasteDeploy file in the style of Pyramid's.
const ini = `# a comment
[app:main]
use = egg:shop

pyramid.includes =
    pyramid_debugtoolbar
    other

[DEFAULT]
site = example

[server:main]
use = egg:gunicorn#main
; another comment
host = 127.0.0.1
port = %(http)s
proc_name: %(site)s-100%%
workers = 3
errorlog = %(here)s/error.log
raw_env = A=1 'B=2 3'
preload_app = true
`

func TestPasteSettings(t *testing.T) {
	s := scene{
		args:  []string{"--paste", "dev.ini#main", "--paste-global", "http=6543", "--workers", "5"},
		files: map[string]string{"dev.ini": ini, "pyhost.toml": "preload_app = false\n"},
	}
	c := s.load(t)
	path := strings.TrimSuffix(c.Paste, "#main")
	for name, want := range map[string]any{
		"bind": []string{"127.0.0.1:6543"}, "proc_name": "example-100%", "workers": 5, "preload_app": false,
		"errorlog": filepath.Join(filepath.Dir(path), "error.log"), "raw_env": []string{"A=1", "B=2 3"},
		"wsgi_app": "paste:" + c.Paste, "logconfig": "",
	} {
		if got := value(c, name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %#v, want %#v", name, got, want)
		}
	}
	if got := c.Source["proc_name"]; got != path+", line 17" {
		t.Errorf("proc_name comes from %q", got)
	}
}

// The server section of another server says nothing to us, the logging configuration does.
func TestPasteOfAnotherServer(t *testing.T) {
	text := strings.Replace(ini, "egg:gunicorn#main", "egg:waitress#main", 1) + "listen = *:1\n" +
		"[loggers]\nkeys = root\n[handlers]\nkeys = x\n[formatters]\nkeys = y\n"
	c := scene{args: []string{"--paste", "dev.ini"}, files: map[string]string{"dev.ini": text}}.load(t)
	if c.Workers != 1 || c.ProcName != "" || c.LogConfig != c.Paste {
		t.Errorf("workers %d, proc_name %q, logconfig %q", c.Workers, c.ProcName, c.LogConfig)
	}
}

func TestPasteBind(t *testing.T) {
	for section, want := range map[string]string{
		"host = ::1\nport = 7": "[::1]:7", "port = 7": "127.0.0.1:7", "host = 0.0.0.0": "0.0.0.0",
		"bind = unix:/s\nhost = x\nport = 7": "unix:/s", "": "127.0.0.1:8000",
	} {
		text := "[server:main]\nuse = egg:pyhost\n" + section + "\n"
		c := scene{args: []string{"--paste", "x.ini"}, files: map[string]string{"x.ini": text}}.load(t)
		if !reflect.DeepEqual(c.Bind, []string{want}) {
			t.Errorf("%q: %q, want %s", section, c.Bind, want)
		}
	}
}

func TestPasteMistakes(t *testing.T) {
	for section, want := range map[string]string{
		"wrokers = 3":           "x.ini, line 3: setting 'wrokers' is unknown; did you mean workers?",
		"workers = many":        "x.ini, line 3): must be a whole number of 0 or more",
		"workers = %(workers)s": "x.ini, line 3): refers to itself",
		"workers = %(n)s":       "x.ini, line 3): nothing of that name is known; there are __file__, here, use, workers",
		"what is this":          "x.ini: line 3: 'what is this' is no section and no key = value",
		"raw_env = 'a":          "x.ini, line 3): ",
		"config = other.toml":   "x.ini, line 3: config cannot be set in a file of PasteDeploy",
	} {
		text := "[server:main]\nuse = egg:pyhost\n" + section + "\n"
		err := scene{args: []string{"--paste", "x.ini"}, files: map[string]string{"x.ini": text}}.fail(t)
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", section, err, want)
		}
	}
	err := scene{args: []string{"--paste", "no.ini"}}.fail(t)
	if err.Error() != "Invalid value for --paste: 'no.ini': no such file or directory" {
		t.Error(err)
	}
}
