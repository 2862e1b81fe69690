package config

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

type settingCase struct {
	name string
	args []string
	env  string
	toml string
	want any
}

// settingCases give every setting a value by each way there is.
var settingCases = []settingCase{
	{"wsgi_app", []string{"m:a"}, "m:a", `"m:a"`, "m:a"},
	{"python", []string{"--python", "python3.12"}, "python3.12", `"python3.12"`, "python3.12"},
	{"bind", []string{"-b", ":1", "--bind=unix:/s"}, ":1,unix:/s", `[":1", "unix:/s"]`, []string{":1", "unix:/s"}},
	{"backlog", []string{"--backlog", "5"}, "5", `5`, 5},
	{"reuse_port", []string{"--reuse-port"}, "true", `true`, true},
	{"workers", []string{"-w", "3"}, "3", `3`, 3},
	{"min_workers", []string{"--min-workers", "1"}, "1", `1`, 1},
	{"max_workers", []string{"--max-workers", "9"}, "9", `9`, 9},
	{"worker_class", []string{"-k", "gthread"}, "gthread", `"gthread"`, "gthread"},
	{"threads", []string{"--threads", "4"}, "4", `4`, 4},
	{"worker_connections", []string{"--worker-connections", "7"}, "7", `7`, 7},
	{"timeout", []string{"-t", "0"}, "0", `0`, 0},
	{"graceful_timeout", []string{"--graceful-timeout", "9"}, "9", `9`, 9},
	{"handover", []string{"--no-handover"}, "false", `false`, false},
	{"max_requests", []string{"--max-requests", "1000"}, "1000", `1000`, 1000},
	{"max_requests_jitter", []string{"--max-requests-jitter", "50"}, "50", `50`, 50},
	{"max_worker_lifetime", []string{"--max-worker-lifetime", "3600"}, "3600", `3600`, 3600},
	{"max_worker_lifetime_jitter", []string{"--max-worker-lifetime-jitter", "60"}, "60", `60`, 60},
	{"max_worker_memory", []string{"--max-worker-memory", "512"}, "512", `512`, 512},
	{"reload_on_exception", []string{"--reload-on-exception"}, "true", `true`, true},
	{"keepalive", []string{"--keep-alive", "65"}, "65", `65`, 65},
	{"request_timeout", []string{"--request-timeout", "10"}, "10", `10`, 10},
	{"queue_limit", []string{"--queue-limit", "50"}, "50", `50`, 50},
	{"queue_timeout", []string{"--queue-timeout", "5"}, "5", `5`, 5},
	{"warmup_url", []string{"--warmup-url", "/a", "--warmup-url", "https://b/c?d"}, `/a https://b/c?d`,
		`["/a", "https://b/c?d"]`, []string{"/a", "https://b/c?d"}},
	{"reload_strategy", []string{"--reload-strategy", "rolling"}, "rolling", `"rolling"`, "rolling"},
	{"drain_delay", []string{"--drain-delay", "5"}, "5", `5`, 5},
	{"boot_timeout", []string{"--boot-timeout", "60"}, "60", `60`, 60},
	{"limit_request_line", []string{"--limit-request-line", "0"}, "0", `0`, 0},
	{"limit_request_fields", []string{"--limit-request-fields", "20"}, "20", `20`, 20},
	{"limit_request_field_size", []string{"--limit-request-field_size", "99"}, "99", `99`, 99},
	{"limit_request_body", []string{"--limit-request-body", "10M"}, "10M", `"10M"`, 10 << 20},
	{"header_timeout", []string{"--header-timeout", "5"}, "5", `5`, 5},
	{"body_timeout", []string{"--body-timeout", "0"}, "0", `0`, 0},
	{"body_min_rate", []string{"--body-min-rate", "1k"}, "1K", `1024`, 1024},
	{"write_timeout", []string{"--write-timeout", "7"}, "7", `7`, 7},
	{"request_buffering", []string{"--no-request-buffering"}, "no", `false`, false},
	{"spool_threshold", []string{"--spool-threshold", "1M"}, "1M", `1_048_576`, 1 << 20},
	{"spool_dir", []string{"--spool-dir", "/"}, "/", `"/"`, "/"},
	{"spool_response_limit", []string{"--spool-response-limit", "1M"}, "1M", `1_048_576`, 1 << 20},
	{"tmp_upload_dir", nil, "/", `"/"`, "/"},
	{"sendfile", []string{"--no-sendfile"}, "off", `false`, false},
	{"permit_obsolete_folding", []string{"--permit-obsolete-folding"}, "true", `true`, true},
	{"strip_header_spaces", []string{"--strip-header-spaces"}, "true", `true`, true},
	{"permit_unconventional_http_method", []string{"--permit-unconventional-http-method"}, "true", `true`, true},
	{"permit_unconventional_http_version", []string{"--permit-unconventional-http-version"}, "true", `true`, true},
	{"casefold_http_method", []string{"--casefold-http-method"}, "true", `true`, true},
	{
		"forwarder_headers", []string{"--forwarder-headers", "SCRIPT_NAME,REMOTE_USER"}, "SCRIPT_NAME, REMOTE_USER",
		`["SCRIPT_NAME", "REMOTE_USER"]`, []string{"SCRIPT_NAME", "REMOTE_USER"},
	},
	{"header_map", []string{"--header-map", "refuse"}, "refuse", `"refuse"`, "refuse"},
	{"preload_app", []string{"--preload"}, "yes", `true`, true},
	{
		"share_imports", []string{"--share-imports", "stdlib, a.b"}, "stdlib,a.b", `["stdlib", "a.b"]`,
		[]string{"stdlib", "a.b"},
	},
	{"chdir", []string{"--chdir", "/"}, "/", `"/"`, "/"},
	{"pythonpath", []string{"--pythonpath", "a,b"}, "a,b", `"a,b"`, "a,b"},
	{"raw_env", []string{"-e", "A=1", "--env", "B=x y"}, `A=1 'B=x y'`, `["A=1", "B=x y"]`, []string{"A=1", "B=x y"}},
	{"pidfile", []string{"-p", "run.pid"}, "run.pid", `"run.pid"`, "run.pid"},
	{"umask", []string{"-m", "022"}, "0o22", `0o022`, 0o22},
	{"proc_name", []string{"-n", "web"}, "web", `"web"`, "web"},
	{"accesslog", []string{"--access-logfile", "-"}, "-", `"-"`, "-"},
	{
		"access_log_format", []string{"--access-logformat", `%(h)s "%(r)s"`}, `%(h)s "%(r)s"`,
		`'%(h)s "%(r)s"'`, `%(h)s "%(r)s"`,
	},
	{"errorlog", []string{"--log-file", "e.log"}, "e.log", `"e.log"`, "e.log"},
	{"loglevel", []string{"--log-level", "WARN"}, "Warning", `"warning"`, "warning"},
	{"log_format", []string{"--log-format", "json"}, "json", `"json"`, "json"},
	{"logger_class", []string{"--logger-class", "a.B"}, "a.B", `"a.B"`, "a.B"},
	{"logconfig", []string{"--log-config", "l.ini"}, "l.ini", `"l.ini"`, "l.ini"},
	{
		"logconfig_dict", nil, `{"root": {"level": "INFO"}}`, `{root = {level = "INFO"}}`,
		map[string]any{"root": map[string]any{"level": "INFO"}},
	},
	{"logconfig_json", []string{"--log-config-json", "l.json"}, "l.json", `"l.json"`, "l.json"},
	{"capture_output", []string{"--capture-output"}, "yes", `true`, true},
	{"syslog", []string{"--log-syslog"}, "yes", `true`, true},
	{"syslog_addr", []string{"--log-syslog-to", "tcp://[::1]:1"}, "tcp://[::1]:1", `"tcp://[::1]:1"`, "tcp://[::1]:1"},
	{"syslog_prefix", []string{"--log-syslog-prefix", "shop"}, "shop", `"shop"`, "shop"},
	{"syslog_facility", []string{"--log-syslog-facility", "Local3"}, "local3", `"LOCAL3"`, "local3"},
	{"disable_redirect_access_to_syslog", []string{"--disable-redirect-access-to-syslog"}, "yes", `true`, true},
	{"statsd_host", []string{"--statsd-host", "unix:///run/s"}, "unix:///run/s", `"unix:///run/s"`, "unix:///run/s"},
	{"dogstatsd_tags", []string{"--dogstatsd-tags", "env:a,b"}, "env:a,b", `"env:a,b"`, "env:a,b"},
	{"statsd_prefix", []string{"--statsd-prefix", "web."}, "web.", `"web."`, "web."},
	{
		"forwarded_allow_ips", []string{"--forwarded-allow-ips", "10.0.0.0/8, ::1"}, "10.0.0.0/8,::1",
		`["10.0.0.0/8", "::1"]`, []string{"10.0.0.0/8", "::1"},
	},
	{
		"secure_scheme_headers", nil, "x-proto=https, X-SSL=a=b", `{x-proto = "https", X-SSL = "a=b"}`,
		map[string]string{"X-PROTO": "https", "X-SSL": "a=b"},
	},
	{"real_ip", []string{"--real-ip", "Forwarded"}, "Forwarded", `"Forwarded"`, "Forwarded"},
	{"request_id_header", []string{"--request-id-header", "X-Trace"}, "X-Trace", `"X-Trace"`, "X-Trace"},
	{
		"static", []string{"--static", "/a=/", "--static", "/b=/"}, "/a=/ /b=/", `["/a=/", "/b=/"]`,
		[]string{"/a=/", "/b=/"},
	},
	{"http_protocols", []string{"--http-protocols", "H2, h1"}, "h2,h1", `"h2,h1"`, "h2,h1"},
	{"http2_max_concurrent_streams", []string{"--http2-max-concurrent-streams", "5"}, "5", `5`, 5},
	{"http2_initial_window_size", []string{"--http2-initial-window-size", "5"}, "5", `5`, 5},
	{"http2_max_frame_size", []string{"--http2-max-frame-size", "20000"}, "20000", `20000`, 20000},
	{"http2_max_header_list_size", []string{"--http2-max-header-list-size", "0"}, "0", `0`, 0},
	{"static_max_age", []string{"--static-max-age", "60"}, "60", `60`, 60},
	{"sendfile_root", []string{"--sendfile-root", "/"}, "/", `"/"`, "/"},
	{"proxy_protocol", []string{"--proxy-protocol", "V2"}, "v2", `"v2"`, "v2"},
	{
		"proxy_allow_ips", []string{"--proxy-allow-from", "10.0.0.0/8, ::1"}, "10.0.0.0/8,::1",
		`["10.0.0.0/8", "::1"]`, []string{"10.0.0.0/8", "::1"},
	},
	{"protocol", []string{"--protocol", "uwsgi"}, "uwsgi", `"uwsgi"`, "uwsgi"},
	{
		"uwsgi_allow_ips", []string{"--uwsgi-allow-from", "10.0.0.0/8, ::1"}, "10.0.0.0/8,::1",
		`["10.0.0.0/8", "::1"]`, []string{"10.0.0.0/8", "::1"},
	},
	{"uwsgi_buffer_size", []string{"--uwsgi-buffer-size", "4096"}, "4096", `4096`, 4096},
	{"certfile", []string{"--certfile", "c.pem"}, "c.pem", `"c.pem"`, "c.pem"},
	{"keyfile", []string{"--keyfile", "k.pem"}, "k.pem", `"k.pem"`, "k.pem"},
	{
		"sni_certs", []string{"--sni-cert", "a=b,c", "--sni-cert", "*.d=e"}, "a=b,c *.d=e", `["a=b,c", "*.d=e"]`,
		[]string{"a=b,c", "*.d=e"},
	},
	{"ssl_version", []string{"--ssl-version", "PROTOCOL_TLSv1_2"}, "5", `"TLSv1_2"`, "TLSv1_2"},
	{"cert_reqs", []string{"--cert-reqs", "2"}, "2", `2`, 2},
	{"ca_certs", []string{"--ca-certs", "ca.pem"}, "ca.pem", `"ca.pem"`, "ca.pem"},
	{"suppress_ragged_eofs", []string{"--suppress-ragged-eofs=false"}, "no", `false`, false},
	{"do_handshake_on_connect", []string{"--do-handshake-on-connect"}, "yes", `true`, true},
	{"ciphers", []string{"--ciphers", "HIGH"}, "HIGH", `"HIGH"`, "HIGH"},
	{"reload", []string{"--reload"}, "1", `true`, true},
	{"reload_engine", []string{"--reload-engine", "poll"}, "poll", `"poll"`, "poll"},
	{
		"reload_extra_files", []string{"--reload-extra-file", "/*.html", "--reload-extra-file", "/dev/null"},
		"/*.html /dev/null", `["/*.html", "/dev/null"]`, []string{"/*.html", "/dev/null"},
	},
	{"check_config", []string{"--check-config"}, "1", `true`, true},
	{"print_config", []string{"--print-config"}, "1", `true`, true},
	{"daemon", []string{"-D"}, "1", `true`, true},
	{"user", []string{"-u", "0"}, "0", `0`, "0"},
	{"group", []string{"-g", "root"}, "root", `"root"`, "root"},
	{"initgroups", []string{"--initgroups"}, "1", `true`, true},
	{"enable_stdio_inheritance", []string{"-R"}, "1", `true`, true},
	{"enable_backlog_metric", []string{"--enable-backlog-metric"}, "1", `true`, true},
	{"paste", []string{"--paste", "/dev/null"}, "/dev/null", `"/dev/null"`, "/dev/null"},
	{
		"raw_paste_global_conf", []string{"--paste-global", "a=b c", "--paste-global", "d=e=f"}, "'a=b c' d=e=f",
		`["a=b c", "d=e=f"]`, []string{"a=b c", "d=e=f"},
	},
	{"default_proc_name", nil, "web", `"web"`, "web"},
	{"script_name", nil, "/shop/", `"/shop"`, "/shop"},
}

// companions are what a setting needs beside it.
var companions = map[string]map[string]string{
	"keyfile":   {"PYHOST_CERTFILE": "c.pem"},
	"sni_certs": {"PYHOST_CERTFILE": "c.pem"},
	"cert_reqs": {"PYHOST_CA_CERTS": "ca.pem"},
}

func TestEverySettingFromEverySource(t *testing.T) {
	for _, s := range Settings() {
		tested := slices.ContainsFunc(settingCases, func(c settingCase) bool {
			return c.name == s.Name && (len(c.args) > 0 || s.Flags == nil)
		})
		if s.field != nil && !tested {
			t.Errorf("setting %s has no case", s.Name)
		}
	}
	for _, tt := range settingCases {
		t.Run(tt.name, func(t *testing.T) {
			variable := settingNamed(tt.name).Variable()
			scenes := map[string]scene{
				"$" + variable:        {env: map[string]string{variable: tt.env}},
				"pyhost.toml, line 1": {files: map[string]string{"pyhost.toml": tt.name + " = " + tt.toml + "\n"}},
			}
			if tt.args != nil {
				scenes["the command line"] = scene{args: tt.args}
				scenes["$GUNICORN_CMD_ARGS"] = scene{env: map[string]string{"GUNICORN_CMD_ARGS": shellJoin(tt.args)}}
				scenes["$PYHOST_CMD_ARGS"] = scene{env: map[string]string{"PYHOST_CMD_ARGS": shellJoin(tt.args)}}
			}
			for source, s := range scenes {
				s.env = maps.Clone(s.env)
				if s.env == nil {
					s.env = map[string]string{}
				}
				maps.Copy(s.env, companions[tt.name])
				if tt.name != "wsgi_app" {
					s.args = append(slices.Clone(s.args), "app")
				}
				c := s.load(t)
				if got := value(c, tt.name); !reflect.DeepEqual(got, tt.want) {
					t.Errorf("from %s: %#v, want %#v", source, got, tt.want)
				}
				if c.Source[tt.name] != source {
					t.Errorf("source is %q, want %q", c.Source[tt.name], source)
				}
			}
		})
	}
}

func shellJoin(args []string) string { return "'" + strings.Join(args, "' '") + "'" }

func TestDefaults(t *testing.T) {
	dir := t.TempDir()
	c, err := load([]string{"m:a"}, scene{}.environment(), dir)
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		App: "m:a", PasteGlobal: []string{}, Bind: []string{"127.0.0.1:8000"},
		Backlog: 2048, Workers: 1, WorkerClass: "sync", Threads: 1,
		WorkerConnections: 1000, Timeout: 30, GracefulTimeout: 30, KeepAlive: 2, LimitRequestLine: 4094,
		LimitRequestFields: 100, LimitRequestFieldSize: 8190, Chdir: dir, RawEnv: []string{},
		AccessLogFormat: `%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"`, ErrorLog: "-", LogLevel: "info",
		WarmupURL: []string{}, ReloadStrategy: "all", Handover: true,
		ReloadEngine: "auto", ReloadExtraFiles: []string{},
		LoggerClass: "gunicorn.glogging.Logger", LogConfigDict: map[string]any{},
		LogFormat: "text", SyslogAddr: "udp://localhost:514", SyslogFacility: "user",
		HeaderTimeout: 30, BodyTimeout: 60, BodyMinRate: 240, WriteTimeout: 60, RequestBuffering: true,
		SpoolResponseLimit: 64 << 20,
		SpoolThreshold:     256 << 10, Sendfile: true,
		ForwarderHeaders: []string{"SCRIPT_NAME", "PATH_INFO"}, HeaderMap: "drop",
		ShareImports:      []string{"auto"},
		ForwardedAllowIPs: []string{"127.0.0.1", "::1"}, Source: c.Source, spelled: c.spelled,
		RealIP: "off", RequestIDHeader: "off", ProxyProtocol: "off", ProxyAllowIPs: []string{"127.0.0.1", "::1"},
		Protocol:      "http",
		UWSGIAllowIPs: []string{"127.0.0.1", "::1"}, UWSGIBufferSize: 65535,
		HTTPProtocols: "h1", HTTP2MaxConcurrentStreams: 100, HTTP2InitialWindowSize: 65535, HTTP2MaxFrameSize: 16384,
		HTTP2MaxHeaderListSize: 65536, Static: []string{}, SNICerts: []string{}, SSLVersion: "TLS", SuppressRaggedEOFs: true,
		SecureSchemeHeaders: map[string]string{
			"X-FORWARDED-PROTOCOL": "ssl", "X-FORWARDED-PROTO": "https", "X-FORWARDED-SSL": "on",
		},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("defaults are\n%+v, want\n%+v", c, want)
	}
	for _, s := range Settings() {
		if source := c.Source[s.Name]; s.field != nil && s.Name != "wsgi_app" && source != "the default" {
			t.Errorf("the source of %s is %q", s.Name, source)
		}
	}
}

// TestNamesAreOne holds that the JSON names of Config are the names of the settings, and that no name is used twice.
func TestNamesAreOne(t *testing.T) {
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		if tag := field.Tag.Get("json"); tag != "-" && !field.Anonymous && field.IsExported() {
			names = append(names, tag)
		}
	}
	c := &Config{}
	fields := map[any]bool{}
	spellings := map[string]bool{"help": true, "version": true, "completions": true, "h": true, "v": true}
	taken := map[string]bool{}
	for _, s := range known() {
		if taken[s.Name] {
			t.Errorf("setting %s is there twice", s.Name)
		}
		taken[s.Name] = true
		for _, spelling := range append(slices.Clone(s.Flags), s.Short) {
			if spelling != "" && spellings[spelling] {
				t.Errorf("option %s is used twice", spelling)
			}
			spellings[spelling] = true
		}
		if s.field == nil {
			continue
		}
		if !slices.Contains(names, s.Name) {
			t.Errorf("setting %s has no field of that name", s.Name)
		}
		if fields[s.field(c)] {
			t.Errorf("setting %s shares its field with another", s.Name)
		}
		fields[s.field(c)] = true
	}
	if len(fields) != len(names) {
		t.Errorf("%d settings for the %d fields %v", len(fields), len(names), names)
	}
}

// TestJSON holds what the Python side relies on: every key is there, and no list or table is null.
func TestJSON(t *testing.T) {
	c := scene{args: []string{"m:a", "--forwarded-allow-ips", ""}}.load(t)
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "null") || strings.Contains(string(text), "Source") {
		t.Errorf("JSON is %s", text)
	}
	var back Config
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	back.Source, back.spelled = c.Source, c.spelled
	if !reflect.DeepEqual(&back, c) {
		t.Errorf("back from JSON: %+v, want %+v", back, *c)
	}
}

func TestName(t *testing.T) {
	if name := (&Config{App: "m:a"}).Name(); name != "m:a" {
		t.Errorf("without proc_name: %q", name)
	}
	if name := (&Config{App: "m:a", ProcName: "web"}).Name(); name != "web" {
		t.Errorf("with proc_name: %q", name)
	}
}

// TestConfigsShareNothing: a Config that is changed against the rules must not spoil the next one's defaults.
func TestConfigsShareNothing(t *testing.T) {
	first := scene{args: []string{"m:a"}}.load(t)
	first.Bind[0], first.ForwardedAllowIPs[0] = "spoilt", "spoilt"
	first.SecureSchemeHeaders["X-FORWARDED-SSL"] = "spoilt"
	second := scene{args: []string{"m:a"}}.load(t)
	if second.Bind[0] == "spoilt" || second.ForwardedAllowIPs[0] == "spoilt" ||
		second.SecureSchemeHeaders["X-FORWARDED-SSL"] == "spoilt" {
		t.Errorf("defaults are shared: %+v", second)
	}
}

func TestPathsBeginWhereTheProgramStarted(t *testing.T) {
	s := scene{files: map[string]string{"site/app.py": "", "venv/bin/python": "", "python9": ""}}
	dir := s.dir(t)
	for _, tt := range []struct{ option, setting, want string }{
		{"--chdir=site", "chdir", filepath.Join(dir, "site")},
		{"--chdir=./site/..", "chdir", dir},
		{"--chdir=", "chdir", dir},
		{"--python=venv", "python", filepath.Join(dir, "venv")},
		{"--python=venv/bin/python", "python", filepath.Join(dir, "venv/bin/python")},
		{"--python=python9", "python", "python9"}, // a bare file name is looked up on $PATH, as a shell does
	} {
		c, err := load([]string{"m:a", tt.option}, s.environment(), dir)
		if err != nil {
			t.Errorf("%s: %v", tt.option, err)
		} else if got := value(c, tt.setting); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.option, got, tt.want)
		}
	}
}
