package config

import (
	"errors"
	"testing"
)

type refusal struct {
	scene
	want string
}

// badValues hold the messages to the letter.
var badValues = []refusal{
	{option("-w", "x"), "-w: 'x': must be a whole number of 0 or more"},
	{option("-w", "-1"), "-w: '-1': must be a whole number of 0 or more"},
	{option("-w="), "-w: '=': must be a whole number of 0 or more"},
	{option("--workers="), "--workers: '': must be a whole number of 0 or more"},
	{option("-w", "1.5"), "-w: '1.5': must be a whole number of 0 or more"},
	{option("-w", "1025"), "-w: '1025': must be at most 1024"},
	{option("-t", "9999999999"), "-t: '9999999999': must be at most 2147483647"},
	{option("--threads", "0"), "--threads: '0': must be a whole number of 1 or more"},
	{
		option("--worker-connections", "0"),
		"--worker-connections: '0': must be a whole number of 1 or more",
	},
	{
		option("-k", "gevent"),
		"-k: 'gevent': is not available; gthread serves as many requests at once as it has --threads",
	},
	{option("-b", "8000:x"), "-b: '8000:x': '8000' is not an IPv4 address"},
	{
		option("-b", ":1", "-b", "h:x"),
		"-b: 'h:x': 'x' is not a port number (0 to 65535)",
	},
	{option("-b", ":1", "-b", "0.0.0.0:1"), "-b: '0.0.0.0:1': is given twice"},
	{option("--preload=maybe"), "--preload: 'maybe': must be true or false"},
	{option("-m", "9z"), "-m: '9z': must be a number such as 022 or 0o022"},
	{option("-m", "-1"), "-m: '-1': must be a whole number of 0 or more"},
	{
		option("-m", "777"),
		"-m: '777': must be at most 0777; a number without a leading 0 is decimal",
	},
	{option("--reload-extra-file", ""), "--reload-extra-file: '': must be a file or a pattern"},
	{option("-e", "A"), "-e: 'A': must be NAME=VALUE"},
	{option("-e", "=A"), "-e: '=A': must be NAME=VALUE"},
	{
		option("--log-level", "loud"),
		"--log-level: 'loud': must be debug, info, warning, error or critical",
	},
	{option("--log-file="), "--log-file: '': must be a file, or - for the standard error"},
	{
		option("--warmup-url", "health"),
		"--warmup-url: 'health': must be a path such as /health, or an http:// or https:// URL",
	},
	{option("--chdir", "/no/such"), "--chdir: '/no/such': no such file or directory"},
	{option("--chdir", "/dev/null"), "--chdir: '/dev/null': is not a directory"},
	{option("--python", "./venv"), "--python: './venv': no such file or directory"},
	{
		option("--forwarded-allow-ips", "10.0.0.1,proxy"),
		"--forwarded-allow-ips: 'proxy': must be an IP address, a network such as 10.0.0.0/8, or *",
	},
	{
		option("--forwarded-allow-ips", "192.168.1.1/24"),
		"--forwarded-allow-ips: '192.168.1.1/24': has host bits set; the network is 192.168.1.0/24",
	},
	{
		option("-e", "SCRIPT_NAME=shop"),
		"script_name: 'shop' (from raw_env, the command line): must begin with a slash, as in /shop",
	},
	{option("-n", "a\x00b"), `-n: "a\x00b": cannot contain a NUL byte`},
	{
		option("-k", "gevnt"),
		"-k: 'gevnt': must be sync or gthread; gevent is not available; gthread serves as many requests at once as it " +
			"has --threads",
	},
	{option("-k", "gthred"), "-k: 'gthred': must be sync or gthread; did you mean gthread?"},
	{option("-k", "fibers"), "-k: 'fibers': must be sync or gthread"},
	{
		option("--worker-class", "uvicorn.workers.UvicornWorker"),
		"--worker-class: 'uvicorn.workers.UvicornWorker': is for asynchronous applications, and pyhost serves WSGI; see " +
			"sync and gthread",
	},
	{
		option("-k", "my.Worker"),
		"-k: 'my.Worker': is a class of your own, and pyhost's workers are not written in Python; it must be sync or gthread",
	},
	{option("-u", "no-such-user"), "-u: 'no-such-user': there is no such user"},
	{option("--group", "no-such-group"), "--group: 'no-such-group': there is no such group"},
	{option("--reload-engine", "fam"), "--reload-engine: 'fam': must be auto, inotify or poll"},
	{option("--reload-extra-file", "no.html"), "--reload-extra-file: 'no.html': no such file or directory"},
	{option("--reload-extra-file", "x[a"), "--reload-extra-file: 'x[a': is not a pattern: a [ needs its ]"},
	{variable("PYHOST_WORKERS", "x"), "$PYHOST_WORKERS: 'x': must be a whole number of 0 or more"},
	{
		variable("WEB_CONCURRENCY", "many"),
		"workers: 'many' (from $WEB_CONCURRENCY): must be a whole number of 0 or more",
	},
	{variable("PORT", "http"), "bind: '0.0.0.0:http' (from $PORT): 'http' is not a port number (0 to 65535)"},
	{
		variable("GUNICORN_CMD_ARGS", "-w x"),
		"-w: 'x' (from $GUNICORN_CMD_ARGS): must be a whole number of 0 or more",
	},
	{variable("PYHOST_RAW_ENV", "A='x"), `$PYHOST_RAW_ENV: 'A='x': a quotation mark is not closed`},
	{
		variable("PYHOST_SECURE_SCHEME_HEADERS", "X"),
		"$PYHOST_SECURE_SCHEME_HEADERS: 'X': must be NAME=VALUE separated by commas",
	},
	{
		variable("PYHOST_SECURE_SCHEME_HEADERS", "X_Y=1"),
		"$PYHOST_SECURE_SCHEME_HEADERS: 'X_Y': must be the name of a header, as in " +
			"X-FORWARDED-PROTO",
	},
	{variable("SCRIPT_NAME", "shop"), "script_name: 'shop' (from $SCRIPT_NAME): must begin with a slash, as in /shop"},
	// A value that loses is wrong nevertheless.
	{
		scene{args: []string{"m:a", "-w2"}, env: map[string]string{"PYHOST_WORKERS": "x"}},
		"$PYHOST_WORKERS: 'x': must be a whole number of 0 or more",
	},
}

func TestBadValues(t *testing.T) {
	for _, tt := range badValues {
		wantValueError(t, tt.scene, "Invalid value for "+tt.want)
	}
}

func option(args ...string) scene { return scene{args: append(args, "m:a")} }

func variable(name, value string) scene {
	return scene{args: []string{"m:a"}, env: map[string]string{name: value}}
}

func TestNoApplication(t *testing.T) {
	wantValueError(t, scene{}, "No application module specified. Name it on the command line, "+
		"as in `pyhost myproject.wsgi:application`, or set wsgi_app in pyhost.toml.")
}

func TestUmaskBases(t *testing.T) {
	for text, want := range map[string]int{
		"0": 0, "022": 0o22, "0022": 0o22, "0o22": 0o22, "18": 18, "0x1F": 0x1f, "0b11": 3, "0777": 0o777,
	} {
		if got := (scene{args: []string{"m:a", "-m", text}}).load(t).Umask; got != want {
			t.Errorf("-m %s is %#o, want %#o", text, got, want)
		}
	}
}

func wantValueError(t *testing.T, s scene, want string) {
	t.Helper()
	err := s.fail(t)
	var bad *ValueError
	if !errors.As(err, &bad) || err.Error() != want {
		t.Errorf("%q %v %v:\n got %T %v\nwant %s", s.args, s.env, s.files, err, err, want)
	}
}
