package config

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// python is a layer of a Python file with the JSON value of one setting.
func python(setting, value string) Layer {
	return Layer{
		Origin: ConfigFile, Source: "gunicorn.conf.py", Values: map[string]json.RawMessage{setting: json.RawMessage(value)},
	}
}

func TestPythonValues(t *testing.T) {
	for _, tt := range []struct {
		setting, value string
		want           any
	}{
		{"workers", `3`, 3},
		{"workers", `"3"`, 3},
		{"workers", `" 0x10 "`, 16},
		{"workers", `true`, 1},
		{"threads", `null`, 1},
		{"proxy_protocol", `true`, "auto"},
		{"proxy_protocol", `false`, "off"},
		{"ssl_version", `17`, "TLS"},
		{"umask", `18`, 0o22},
		{"umask", `"0o22"`, 0o22},
		{"preload_app", `true`, true},
		{"preload_app", `" True "`, true},
		{"preload_app", `"false"`, false},
		{"preload_app", `null`, false},
		{"bind", `":1"`, []string{":1"}},
		{"bind", `[":1", " unix:/x "]`, []string{":1", "unix:/x"}},
		{"bind", `null`, []string{"127.0.0.1:8000"}},
		{"header_map", `" Refuse "`, "refuse"},
		{"raw_env", `[]`, []string{}},
		{"raw_env", `""`, []string{}},
		{"reload_extra_files", `" "`, []string{}},
		{"forwarded_allow_ips", `"10.0.0.1, ::1"`, []string{"10.0.0.1", "::1"}},
		{"forwarded_allow_ips", `null`, []string{}},
		{"proxy_allow_ips", `null`, []string{}},
		{"uwsgi_allow_ips", `null`, []string{}},
		{"forwarder_headers", `null`, []string{}},
		{"proc_name", `" web "`, "web"},
		{"accesslog", `null`, ""},
		{"worker_class", `"gunicorn.workers.gthread.ThreadWorker"`, "gthread"},
		{"secure_scheme_headers", `{"X-Proto": "https"}`, map[string]string{"X-PROTO": "https"}},
	} {
		c := scene{args: []string{"m:a"}, layers: []Layer{python(tt.setting, tt.value)}}.load(t)
		if got := value(c, tt.setting); !reflect.DeepEqual(got, tt.want) || c.Source[tt.setting] != "gunicorn.conf.py" {
			t.Errorf("%s = %s: %#v from %s, want %#v", tt.setting, tt.value, got, c.Source[tt.setting], tt.want)
		}
	}
}

func TestBadPythonValues(t *testing.T) {
	for _, tt := range []struct{ setting, value, want string }{
		{"workers", `"many"`, "workers: 'many' (from gunicorn.conf.py): must be a whole number of 0 or more"},
		{"workers", `2.5`, "workers: '2.5' (from gunicorn.conf.py): must be a whole number of 0 or more"},
		{"workers", `3.0`, "workers: '3.0' (from gunicorn.conf.py): must be a whole number of 0 or more"},
		{"workers", `-1`, "workers: '-1' (from gunicorn.conf.py): must be a whole number of 0 or more"},
		{"threads", `false`, "threads: 'False' (from gunicorn.conf.py): must be a whole number of 1 or more"},
		{"preload_app", `1`, "preload_app: '1' (from gunicorn.conf.py): must be true or false"},
		{"bind", `8000`, "bind: '8000' (from gunicorn.conf.py): must be a list of strings"},
		{"bind", `[8000]`, "bind: '[8000]' (from gunicorn.conf.py): must be a list of strings"},
		{"proc_name", `["x"]`, `proc_name: '["x"]' (from gunicorn.conf.py): must be a string`},
		{
			"secure_scheme_headers", `"X=1"`,
			"secure_scheme_headers: 'X=1' (from gunicorn.conf.py): must be a table of header names and values",
		},
		{
			"secure_scheme_headers", `{"X": 1}`,
			"secure_scheme_headers: '1' (from gunicorn.conf.py): the value of header X must be a string",
		},
	} {
		s := scene{args: []string{"m:a"}, layers: []Layer{python(tt.setting, tt.value)}}
		wantValueError(t, s, "Invalid value for "+tt.want)
	}
	for _, name := range []string{"config", "python", "frobnicate"} {
		s := scene{args: []string{"m:a"}, layers: []Layer{python(name, `"x"`)}}
		wantValueError(t, s, "gunicorn.conf.py: "+name+" cannot be set here")
	}
}

// TestPythonLayersInOrder: framework < config file < options.
func TestPythonLayersInOrder(t *testing.T) {
	framework := python("workers", "2")
	framework.Origin, framework.Source = Framework, "development.ini"
	for _, tt := range []struct {
		scene
		want int
		from string
	}{
		{scene{env: map[string]string{"WEB_CONCURRENCY": "9"}, layers: []Layer{framework}}, 2, "development.ini"},
		{scene{layers: []Layer{python("workers", "3"), framework}}, 3, "gunicorn.conf.py"},
		{scene{layers: []Layer{framework}, files: map[string]string{"pyhost.toml": "workers = 4"}}, 4, "pyhost.toml, line 1"},
		{
			scene{layers: []Layer{python("workers", "3")}, env: map[string]string{"GUNICORN_CMD_ARGS": "-w5"}},
			5, "$GUNICORN_CMD_ARGS",
		},
	} {
		tt.args = []string{"m:a"}
		if c := tt.load(t); c.Workers != tt.want || c.Source["workers"] != tt.from {
			t.Errorf("%+v: %d workers from %s, want %d from %s", tt.scene, c.Workers, c.Source["workers"], tt.want, tt.from)
		}
	}
}

func TestNearMissesInAPythonFile(t *testing.T) {
	for name, want := range map[string]string{
		"worker": "workers", "Workers": "workers", "time_out": "timeout", "preload": "preload_app", "log_level": "loglevel",
		"access_logfile": "accesslog", "limit_request_feild_size": "limit_request_field_size",
		"os": "", "name": "", "env": "", "port": "", "worker_count": "", "get_workers": "", "_workers": "", "binds_to": "",
		"cpu_count": "", "n_of_workers": "", "log_dir": "", "threaded": "",
	} {
		l := Layer{Origin: ConfigFile, Source: "x.py", Names: []string{name}}
		var warnings []string
		if want != "" {
			warnings = []string{"x.py: the name " + name + " is no setting; did you mean " + want + "?"}
		}
		if got := (scene{args: []string{"m:a"}, layers: []Layer{l}}).load(t).Warnings; !slices.Equal(got, warnings) {
			t.Errorf("%s: %q, want %q", name, got, warnings)
		}
	}
	// WORKERS = 3; workers = WORKERS
	l := python("workers", "3")
	l.Names = []string{"WORKERS"}
	if got := (scene{args: []string{"m:a"}, layers: []Layer{l}}).load(t).Warnings; len(got) > 0 {
		t.Errorf("a helper of the setting's name: %q", got)
	}
	l.Names = []string{"python"}
	want := []string{"gunicorn.conf.py: python cannot be set in a file that Python runs; use --python"}
	if got := (scene{args: []string{"m:a"}, layers: []Layer{l}}).load(t).Warnings; !slices.Equal(got, want) {
		t.Errorf("python: %q, want %q", got, want)
	}
}

func TestFindPython(t *testing.T) {
	both := map[string]string{"gunicorn.conf.py": "", "pyhost.conf.py": "", "etc/web": "", "etc/x.toml": ""}
	toml := map[string]string{"gunicorn.conf.py": "", "pyhost.toml": ""}
	project := map[string]string{"gunicorn.conf.py": "", "pyproject.toml": "[tool.pyhost]\nworkers=1"}
	foreign := map[string]string{"gunicorn.conf.py": "", "pyproject.toml": "[project]\ndependencies=['pyhost']"}
	for _, tt := range []struct {
		scene
		name, path, module string
	}{
		{scene{}, "", "", ""},
		{scene{files: both}, "pyhost.conf.py", "pyhost.conf.py", ""},
		{scene{files: toml}, "", "", ""},
		{scene{files: project}, "", "", ""},
		{scene{files: foreign}, "gunicorn.conf.py", "gunicorn.conf.py", ""},
		{scene{args: []string{"-cetc/web"}, files: both}, "etc/web", "etc/web", ""},
		{scene{args: []string{"-c", "file:etc/web"}, files: both}, "file:etc/web", "etc/web", ""},
		{scene{args: []string{"-c", "python:a.b"}, files: both}, "python:a.b", "", "a.b"},
		{scene{args: []string{"-c", "etc/x.toml"}, files: both}, "", "", ""},
		{scene{env: map[string]string{"GUNICORN_CMD_ARGS": "-c etc/web"}, files: both}, "etc/web", "etc/web", ""},
		{scene{args: []string{"-c", ""}, files: both}, "pyhost.conf.py", "pyhost.conf.py", ""},
	} {
		dir := tt.dir(t)
		got, err := findPython(append(tt.args, "-w2"), tt.environment(), dir)
		if err != nil {
			t.Errorf("%+v: %v", tt.scene, err)
			continue
		}
		if got == nil {
			got = &PythonFile{}
		}
		want := PythonFile{Name: tt.name, Module: tt.module, Explicit: tt.name != "" && len(tt.args)+len(tt.env) > 0}
		if tt.name == "pyhost.conf.py" {
			want.Explicit = false
		}
		if tt.path != "" {
			want.Path = filepath.Join(dir, tt.path)
		}
		if c := got.Config; tt.name != "" && (c == nil || c.Workers != 2 || c.Chdir != dir) {
			t.Errorf("%+v: the configuration is %+v", tt.scene, c)
		}
		if got.Config = nil; *got != want {
			t.Errorf("%+v: %+v, want %+v", tt.scene, *got, want)
		}
	}
}
