package config

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestSpellingsOfOptions(t *testing.T) {
	for _, tt := range []struct {
		args    []string
		setting string
		want    any
	}{
		{[]string{"-w3"}, "workers", 3},
		{[]string{"-w=3"}, "workers", 3},
		{[]string{"--workers=3"}, "workers", 3},
		{[]string{"--workers", "3"}, "workers", 3},
		{[]string{"--workers", "3", "-w", "4"}, "workers", 4},
		{[]string{"--limit-request-field-size", "1"}, "limit_request_field_size", 1},
		{[]string{"--limit-request-field_size", "1"}, "limit_request_field_size", 1},
		{[]string{"--error-logfile", "x"}, "errorlog", "x"},
		{[]string{"--preload", "--preload=false"}, "preload_app", false},
		{[]string{"--access-logfile", "-"}, "accesslog", "-"},
		{[]string{"--name=-web"}, "proc_name", "-web"},
		{[]string{"-n-web"}, "proc_name", "-web"},
		{[]string{"--access-logformat", "-h %(h)s"}, "access_log_format", "-h %(h)s"},
		{[]string{"-e=A=1"}, "raw_env", []string{"A=1"}},
		{[]string{"-e", "A="}, "raw_env", []string{"A="}},
		{[]string{"--forwarded-allow-ips", "10.0.0.1", "--forwarded-allow-ips", "*"}, "forwarded_allow_ips", []string{"*"}},
		// unambiguous beginnings
		{[]string{"--thr", "2"}, "threads", 2},
		{[]string{"--keep", "9"}, "keepalive", 9},
		{[]string{"--log-fi", "x"}, "errorlog", "x"},
		{[]string{"--limit-request-field-s=5"}, "limit_request_field_size", 5},
		{[]string{"--preloa"}, "preload_app", true},
		{[]string{"--python", "py"}, "python", "py"}, // also the beginning of --pythonpath
	} {
		c := scene{args: append(tt.args, "m:a")}.load(t)
		if got := value(c, tt.setting); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: %s is %#v, want %#v", tt.args, tt.setting, got, tt.want)
		}
	}
}

func TestApplication(t *testing.T) {
	inFile := map[string]string{"pyhost.toml": `wsgi_app = "file:app"`}
	for _, tt := range []struct {
		scene
		want string
	}{
		{scene{args: []string{"-w", "2", "m:a"}}, "m:a"},
		{scene{args: []string{"m:a", "-w", "2"}}, "m:a"},
		{scene{args: []string{"-w", "2", "--", "-m:a"}}, "-m:a"},
		{scene{args: []string{"m:make('x', debug=True)"}}, "m:make('x', debug=True)"},
		{scene{files: inFile}, "file:app"},
		{scene{args: []string{"m:a"}, files: inFile}, "m:a"},
		{scene{env: map[string]string{"GUNICORN_CMD_ARGS": "env:app"}, files: inFile}, "env:app"},
	} {
		if got := tt.load(t).App; got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.scene, got, tt.want)
		}
	}
}

func TestHelpAndVersionComeFirst(t *testing.T) {
	broken := map[string]string{"GUNICORN_CMD_ARGS": "--nonsense 'x", "PYHOST_NONSENSE": "1", "PYHOST_WORKERS": "x"}
	files := map[string]string{"pyhost.toml": "]"}
	for arg, want := range map[string]error{
		"-h": ErrHelp, "--help": ErrHelp, "--hel": ErrHelp, "-v": ErrVersion, "--version": ErrVersion, "-vh": ErrVersion,
	} {
		if err := (scene{args: []string{"-w", "x", arg}, env: broken, files: files}).fail(t); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", arg, err, want)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	env := func(name, value string) scene {
		return scene{args: []string{"m:a"}, env: map[string]string{name: value}}
	}
	args := func(args ...string) scene { return scene{args: args} }
	for _, tt := range []struct {
		scene
		want string
	}{
		{args("--worker", "3"), "unknown option --worker; did you mean --workers?"},
		{args("--wrokers=3"), "unknown option --wrokers; did you mean --workers?"},
		{args("--work", "3"), "ambiguous option --work; it could be --workers, --worker-class, " +
			"--worker-connections or --worker-tmp-dir"},
		{args("--log-fi", "x", "--log-le"), "option --log-level needs a value"},
		{args("--access-log=x"), "ambiguous option --access-log; it could be --access-logfile or --access-logformat"},
		{args("--limit-request-field", "1"), "unknown option --limit-request-field; did you mean --limit-request-fields?"},
		{args("--keepalive", "1"), "unknown option --keepalive; did you mean --keep-alive?"},
		{args("--worker_class", "sync"), "unknown option --worker_class; did you mean --worker-class?"},
		{args("--pidfile", "x"), "unknown option --pidfile; did you mean --pid?"},
		{args("--proc-name", "x"), "unknown option --proc-name; did you mean --name?"},
		{args("--Help"), "unknown option --Help; did you mean --help?"},
		{args("--frobnicate"), "unknown option --frobnicate; see pyhost --help"},
		{args("-x"), "unknown option -x; see pyhost --help"},
		{args("-test.v"), "unknown option -test.v; see pyhost --help"},
		{args("--=x"), "'--=x' is not an option; see pyhost --help"},
		{args("m:a", "--bind"), "option --bind needs a value"},
		{args("m:a", "-b"), "option -b needs a value"},
		{args("--bind", "--workers", "3"), "option --bind needs a value, but '--workers' comes next"},
		{args("--bind", "-w3", "m:a"), "option --bind needs a value, but '-w3' comes next"},
		{args("m:a", "n:b"), "only one application can be served, not 'm:a' and 'n:b'"},
		{env("GUNICORN_CMD_ARGS", "--worker 3"), "unknown option --worker in $GUNICORN_CMD_ARGS; did you mean --workers?"},
		{env("PYHOST_CMD_ARGS", "-e 'A"), "$PYHOST_CMD_ARGS: a quotation mark is not closed"},
		{env("PYHOST_CMD_ARGS", "-w"), "option -w needs a value in $PYHOST_CMD_ARGS"},
		{env("PYHOST_WORKER", "3"), "variable PYHOST_WORKER is unknown; did you mean PYHOST_WORKERS?"},
		{env("PYHOST_ACCESS_LOGFILE", "3"), "variable PYHOST_ACCESS_LOGFILE is unknown; did you mean PYHOST_ACCESSLOG?"},
		{env("PYHOST_PORT", "80"), "variable PYHOST_PORT is unknown; see pyhost --help"},
	} {
		err := tt.fail(t)
		var usage *UsageError
		if !errors.As(err, &usage) || err.Error() != "pyhost: "+tt.want {
			t.Errorf("%q %v:\n got %T %v\nwant %s", tt.args, tt.env, err, err, tt.want)
		}
	}
}

func TestVariablesOfOthersAreLeftAlone(t *testing.T) {
	c := scene{args: []string{"m:a"}, env: map[string]string{
		"_PYHOST_FORKSERVER": "3", "PYHOST_NONSENSE": "",
		// what Kubernetes sets for the services pyhost and pyhost-web
		"PYHOST_PORT": "tcp://10.0.0.1:80", "PYHOST_SERVICE_HOST": "10.0.0.1", "PYHOST_SERVICE_PORT": "80",
		"PYHOST_SERVICE_PORT_HTTP": "80", "PYHOST_PORT_80_TCP": "tcp://10.0.0.1:80", "PYHOST_PORT_80_TCP_ADDR": "10.0.0.1",
		"PYHOST_WEB_SERVICE_HOST": "10.0.0.2", "PYHOST_WEB_PORT": "udp://10.0.0.2:53",
	}}.load(t)
	if c.Bind[0] != "127.0.0.1:8000" {
		t.Errorf("bind is %v", c.Bind)
	}
}

// gunicorn's --proxy-protocol may stand alone, and then the application may come next.
func TestProxyProtocolAlone(t *testing.T) {
	for line, want := range map[string]string{
		"m:a --proxy-protocol":             "auto",
		"--proxy-protocol m:a":             "auto",
		"--proxy-protocol v1 m:a":          "v1",
		"--proxy-protocol=v2 m:a":          "v2",
		"--proxy-protocol false m:a":       "off",
		"--proxy-protocol True m:a":        "auto",
		"--proxy-protocol -w 2 m:a":        "auto",
		"m:a":                              "off",
		"--proxy-protocol -- m:a":          "auto",
		"-w2 --proxy-protocol --preload a": "auto",
	} {
		if got := (scene{args: strings.Fields(line)}).load(t).ProxyProtocol; got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
	for line, want := range map[string]string{
		"--real-ip m:a": "X-Forwarded-For", "--real-ip forwarded m:a": "forwarded", "--real-ip=X-Client m:a": "X-Client",
		"m:a --real-ip": "X-Forwarded-For", "--real-ip off m:a": "off",
	} {
		if got := (scene{args: strings.Fields(line)}).load(t).RealIP; got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
	err := (scene{args: []string{"--proxy-protocol=v3", "m:a"}}).fail(t)
	if !strings.Contains(err.Error(), "must be off, v1, v2 or auto") {
		t.Error(err)
	}
}
