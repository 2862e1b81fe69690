package config

import (
	"fmt"
	"slices"
	"testing"
)

// nonsense is no value of most settings.
const nonsense = "maybe x="

// takesText are the settings for which any text is good, or whose text is looked at only when it is used.
var takesText = []string{
	"wsgi_app", "python", "pythonpath", "pidfile", "forwarder_headers", "accesslog", "access_log_format", "errorlog",
	"logger_class", "logconfig", "logconfig_json", "syslog_prefix", "proc_name", "default_proc_name", "certfile",
	"ca_certs", "ciphers",
}

const (
	wantsAddress = "must be an IP address, a network such as 10.0.0.0/8, or *"
	wantsPair    = "must be NAME=VALUE"
	wantsPath    = "no such file or directory"
)

// refusals say what is wrong with a text, where the type of the setting alone does not say it: the refused part of the
// text and the sentence. Text is nonsense if it is left out.
var refusals = map[string]struct{ text, part, want string }{
	"bind":                  {"", "x=", "'x=' is not a host name"},
	"worker_class":          {"", nonsense, "must be sync or gthread"},
	"warmup_url":            {"", "maybe", "must be a path such as /health, or an http:// or https:// URL"},
	"reload_strategy":       {"", nonsense, "must be all or rolling"},
	"limit_request_body":    {"", nonsense, wantsSize},
	"body_min_rate":         {"", nonsense, wantsSize},
	"spool_threshold":       {"", nonsense, wantsSize},
	"spool_response_limit":  {"", nonsense, wantsSize},
	"reload_engine":         {"", nonsense, "must be auto, inotify or poll"},
	"reload_extra_files":    {"", "maybe", wantsPath},
	"chdir":                 {"", nonsense, wantsPath},
	"paste":                 {"", nonsense, wantsPath},
	"spool_dir":             {"", nonsense, wantsPath},
	"tmp_upload_dir":        {"", nonsense, wantsPath},
	"sendfile_root":         {"/no/such", "/no/such", "/no/such: " + wantsPath},
	"raw_env":               {"", "maybe", wantsPair},
	"raw_paste_global_conf": {"", "maybe", wantsPair},
	"umask":                 {"", nonsense, "must be a number such as 022 or 0o022"},
	"forwarded_allow_ips":   {"", nonsense, wantsAddress},
	"proxy_allow_ips":       {"", nonsense, wantsAddress},
	"share_imports":         {"", nonsense, "must be auto, stdlib, none, or the name of a module such as sqlalchemy.orm"},
	"uwsgi_allow_ips":       {"", nonsense, wantsAddress},
	"secure_scheme_headers": {"", "MAYBE X", "must be the name of a header, as in X-FORWARDED-PROTO"},
	"script_name":           {"", nonsense, "must begin with a slash, as in /shop"},
	"user":                  {"", nonsense, "there is no such user"},
	"group":                 {"", nonsense, "there is no such group"},
	"header_map":            {"", nonsense, "must be drop, refuse or dangerous"},
	"real_ip":               {"", nonsense, "must be the name of a header, or off"},
	"request_id_header":     {"", nonsense, "must be the name of a header, or off"},
	"proxy_protocol":        {"", nonsense, "must be off, v1, v2 or auto"},
	"protocol":              {"", nonsense, "must be http or uwsgi"},
	"loglevel":              {"", nonsense, "must be debug, info, warning, error or critical"},
	"log_format":            {"", nonsense, "must be text or json"},
	"logconfig_dict":        {"", nonsense, "must be a JSON object"},
	"syslog_addr":           {"", nonsense, "must be udp://HOST:PORT, tcp://HOST:PORT or unix://PATH#dgram"},
	"syslog_facility": {"", nonsense, "must be auth, authpriv, cron, daemon, ftp, kern, local0, local1, local2, local3, " +
		"local4, local5, local6, local7, lpr, mail, news, security, syslog, user or uucp"},
	"statsd_host":    {"h:x", "h:x", "must have a port between 1 and 65535"},
	"dogstatsd_tags": {"a|b", "a|b", "must not contain | or a line break"},
	"statsd_prefix":  {"a:b", "a:b", "must not contain |, : or a line break"},
	"sni_certs": {"", "maybe", "must be HOST=CERT,KEY, as in shop.example.org=shop.pem," +
		"shop.key"},
	"ssl_version":    {"", nonsense, "must be TLS, TLSv1_2 or TLSv1_3"},
	"http_protocols": {"", nonsense, "must be h1, h2, or both with a comma between"},
	"static":         {"", "maybe", "must be PREFIX=DIR with a slash in front, as in /static=public"},
	"keyfile":        {"", nonsense, "needs certfile, the certificate of that key"},
}

// TestEverySettingRefuses holds the message of each setting to the letter; one that takes any text is listed as such.
func TestEverySettingRefuses(t *testing.T) {
	for _, s := range Settings() {
		if s.field == nil {
			continue
		}
		text, part, want := nonsense, nonsense, ""
		spelled, source := "$"+s.Variable(), ""
		if r, ok := refusals[s.Name]; ok {
			part, want = r.part, r.want
			if r.text != "" {
				text = r.text
			}
		}
		switch {
		case s.Name == "keyfile": // the text alone is good
			spelled, source = s.Name, " (from $PYHOST_KEYFILE)"
		case want != "":
		case s.Section == "Server Hooks":
			want = "must be a function as MODULE.FUNCTION"
		case s.Type == Bool:
			want = "must be true or false"
		case s.Type == Int:
			want = fmt.Sprintf("must be a whole number of %d or more", s.min)
		}
		if takes := slices.Contains(takesText, s.Name); takes != (want == "") {
			t.Errorf("%s: is it a text like any other (%v), or is it refused with %q?", s.Name, takes, want)
		}
		scene := variable(s.Variable(), text)
		if want == "" {
			scene.load(t)
			continue
		}
		wantValueError(t, scene, fmt.Sprintf("Invalid value for %s: '%s'%s: %s", spelled, part, source, want))
	}
}
