package config

import (
	"reflect"
	"strings"
	"testing"
)

func TestWhichFileIsRead(t *testing.T) {
	files := map[string]string{
		"pyhost.toml":      "workers = 2",
		"pyproject.toml":   "[tool.pyhost]\nworkers = 3",
		"conf/web.toml":    "workers = 4",
		"b/pyproject.toml": "[project]\nname = \"x\"\n[tool]\npyhost.workers = 6",
	}
	without := func(name string) map[string]string {
		rest := map[string]string{}
		for n, text := range files {
			if n != name {
				rest[n] = text
			}
		}
		return rest
	}
	for _, tt := range []struct {
		name string
		scene
		want int
		from string
	}{
		{"pyhost.toml first", scene{files: files}, 2, "pyhost.toml, line 1"},
		{"then pyproject.toml", scene{files: without("pyhost.toml")}, 3, "pyproject.toml, line 2"},
		{"-c", scene{args: []string{"-c", "conf/web.toml"}, files: files}, 4, "conf/web.toml, line 1"},
		{"file:", scene{args: []string{"--config=file:./conf/web.toml"}, files: files}, 4, "./conf/web.toml, line 1"},
		{"-c pyproject.toml", scene{args: []string{"-cb/pyproject.toml"}, files: files}, 6, "b/pyproject.toml, line 4"},
		{"an empty -c", scene{args: []string{"-c", ""}, files: files}, 2, "pyhost.toml, line 1"},
		{
			"an empty -c over another", scene{
				args: []string{"-c", ""}, env: map[string]string{"GUNICORN_CMD_ARGS": "-c conf/web.toml"}, files: files,
			}, 4, "conf/web.toml, line 1",
		},
		{
			"-c wins over the variable",
			scene{args: []string{"-cconf/web.toml"}, env: map[string]string{"PYHOST_CONFIG": "no"}, files: files},
			4, "conf/web.toml, line 1",
		},
		{
			"the variable wins over gunicorn's", scene{env: map[string]string{
				"PYHOST_CONFIG": "conf/web.toml", "GUNICORN_CMD_ARGS": "-c no", "PYHOST_CMD_ARGS": "-c no",
			}, files: files}, 4, "conf/web.toml, line 1",
		},
		{
			"gunicorn's", scene{env: map[string]string{"GUNICORN_CMD_ARGS": "-c conf/web.toml"}, files: files},
			4, "conf/web.toml, line 1",
		},
		{
			"a broken file of another", scene{files: map[string]string{"pyproject.toml": "[project"}},
			1, "the default",
		},
		{"no table of ours", scene{files: map[string]string{"pyproject.toml": "pyhost = 1"}}, 1, "the default"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.args = append(tt.args, "m:a")
			c := tt.load(t)
			if c.Workers != tt.want || c.Source["workers"] != tt.from {
				t.Errorf("%d workers from %s, want %d from %s", c.Workers, c.Source["workers"], tt.want, tt.from)
			}
		})
	}
}

func TestTOMLValues(t *testing.T) {
	c := scene{files: map[string]string{"pyhost.toml": `
wsgi_app = "m:a"
bind = "unix:/x"               # one string for a list
forwarded_allow_ips = "10.0.0.1, 10.0.0.2"
umask = "027"
accesslog = ""
raw_env = [
    "A=1", # a comment
]

[secure_scheme_headers]
x-forwarded-proto = "https"
`}}.load(t)
	want := &Config{
		App: "m:a", Bind: []string{"unix:/x"}, ForwardedAllowIPs: []string{"10.0.0.1", "10.0.0.2"}, Umask: 0o27,
		RawEnv: []string{"A=1"}, SecureSchemeHeaders: map[string]string{"X-FORWARDED-PROTO": "https"},
	}
	for _, name := range []string{
		"wsgi_app", "bind", "forwarded_allow_ips", "umask", "accesslog", "raw_env", "secure_scheme_headers",
	} {
		if got := value(c, name); !reflect.DeepEqual(got, value(want, name)) {
			t.Errorf("%s is %#v, want %#v", name, got, value(want, name))
		}
	}
	if got := c.Source["secure_scheme_headers"]; got != "pyhost.toml, line 11" {
		t.Errorf("the table comes from %q", got)
	}
}

const noTOML = "Python config files are not supported in this version; use command line options or a TOML file"

var badFiles = []refusal{
	{option("-c", "no.toml"), "Invalid value for config: 'no.toml' (from the command line): no such file or directory"},
	{chosen("gunicorn.conf.py", ""), "Invalid value for config: 'gunicorn.conf.py' (from the command line): " + noTOML},
	{chosen("web.conf", ""), "Invalid value for config: 'web.conf' (from the command line): " + noTOML},
	{option("-c", "x.py"), "Invalid value for config: 'x.py' (from the command line): no such file or directory"},
	{chosen("x.py/y", "", "x.py"), "Invalid value for config: 'x.py' (from the command line): is a directory"},
	{
		option("-c", "file:x.py"),
		"Invalid value for config: 'file:x.py' (from the command line): no such file or directory",
	},
	{
		option("-c", "python:site.conf"),
		"Invalid value for config: 'python:site.conf' (from the command line): " + noTOML,
	},
	{file("pyhost.toml/x", ""), "pyhost.toml: is a directory"},
	{file("pyproject.toml", "[tool]\npyhost = 3"), "pyproject.toml: pyhost must be a table"},
	{file("pyhost.toml", "\nworker = 2"), "pyhost.toml, line 2: setting 'worker' is unknown; did you mean workers?"},
	{
		file("pyhost.toml", "preload = true"),
		"pyhost.toml, line 1: setting 'preload' is unknown; did you mean preload_app?",
	},
	{file("pyhost.toml", "Workers = 1"), "pyhost.toml, line 1: setting 'Workers' is unknown; did you mean workers?"},
	{
		file("pyhost.toml", "worker-class = 'sync'"),
		"pyhost.toml, line 1: setting 'worker-class' is unknown; did you mean worker_class?",
	},
	{
		file("pyhost.toml", "[frobnicate]\nx = 1"),
		"pyhost.toml, line 1: setting 'frobnicate' is unknown; see pyhost --help",
	},
	{
		file("pyhost.toml", "threads = 2\n[frobnicate.x]\ny = 1"), // the outer table is only implied
		"pyhost.toml, line 2: setting 'frobnicate' is unknown; see pyhost --help",
	},
	{
		file("pyhost.toml", "threads = 2\n\nsecure_scheme_headers.X = 1\nsecure_scheme_headers.Y = '1'"),
		"Invalid value for secure_scheme_headers: '1' (from pyhost.toml, line 3): the value of header X must be a string",
	},
	{
		file("pyproject.toml", "[tool.pyhost]\nthreads = 2\nbnd = 'x'\nzzz = 1"),
		"pyproject.toml, line 3: setting 'bnd' is unknown; did you mean bind?",
	},
	{file("pyhost.toml", "config = 'x'"), "pyhost.toml, line 1: config cannot be set in a config file"},
	{
		file("pyhost.toml", "threads = 2\nworkers = '3'"),
		"Invalid value for workers: '3' (from pyhost.toml, line 2): must be a whole number of 0 or more",
	},
	{
		file("pyhost.toml", "workers = 3.5"),
		"Invalid value for workers: '3.5' (from pyhost.toml, line 1): must be a whole number of 0 or more",
	},
	{
		file("pyhost.toml", "threads = 0"),
		"Invalid value for threads: '0' (from pyhost.toml, line 1): must be a whole number of 1 or more",
	},
	{
		file("pyhost.toml", "preload_app = 'yes'"),
		"Invalid value for preload_app: 'yes' (from pyhost.toml, line 1): must be true or false",
	},
	{file("pyhost.toml", "chdir = 1"), "Invalid value for chdir: '1' (from pyhost.toml, line 1): must be a string"},
	{
		file("pyhost.toml", "bind = [1]"),
		"Invalid value for bind: '[1]' (from pyhost.toml, line 1): must be a list of strings",
	},
	{
		file("pyhost.toml", "bind = []"),
		"Invalid value for bind: '' (from pyhost.toml, line 1): must have at least one address",
	},
	{
		file("pyhost.toml", "umask = true"),
		"Invalid value for umask: 'true' (from pyhost.toml, line 1): must be a number such as 0o022, or 022 as a string",
	},
	{
		file("pyhost.toml", "secure_scheme_headers = 'x'"),
		"Invalid value for secure_scheme_headers: 'x' (from pyhost.toml, line 1): " +
			"must be a table of header names and values",
	},
	{
		file("pyhost.toml", "[secure_scheme_headers]\nX = 1"),
		"Invalid value for secure_scheme_headers: '1' (from pyhost.toml, line 1): the value of header X must be a string",
	},
}

func TestBadFiles(t *testing.T) {
	for _, tt := range badFiles {
		wantValueError(t, tt.scene, tt.want)
	}
}

func file(name, text string) scene {
	return scene{args: []string{"m:a"}, files: map[string]string{name: text}}
}

// chosen is a file given with -c, under another name if there is one.
func chosen(name, text string, other ...string) scene {
	return scene{args: []string{"m:a", "-c", append(other, name)[0]}, files: map[string]string{name: text}}
}

// TestSyntaxErrors is about the place alone: the words are those of the TOML package.
func TestSyntaxErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, start string }{
		{"pyhost.toml", "workers = 2\nbind = [\n", "pyhost.toml, line 2: "},
		{"pyhost.toml", "workers = 2\nworkers = 3\n", "pyhost.toml, line 2: "},
		{"pyproject.toml", "[tool.pyhost]\nworkers = \n", "pyproject.toml, line 2: "},
	} {
		s := scene{args: []string{"m:a"}, files: map[string]string{tt.name: tt.text}}
		got := s.fail(t).Error()
		rest := strings.TrimPrefix(got, tt.start)
		if got != tt.start+rest || rest == "" || strings.Contains(rest, "\n") {
			t.Errorf("%s %q: %q, want %q before the fault", tt.name, tt.text, got, tt.start)
		}
	}
}
