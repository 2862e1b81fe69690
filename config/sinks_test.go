package config

import "testing"

func TestParseAddressesOfSinks(t *testing.T) {
	for _, tt := range []struct {
		parse                func(string) (string, string, error)
		text, network, where string
	}{
		{ParseSyslog, "udp://localhost:514", "udp", "localhost:514"},
		{ParseSyslog, "udp://log.example", "udp", "log.example:514"},
		{ParseSyslog, "tcp://[::1]:601", "tcp", "[::1]:601"},
		{ParseSyslog, "tcp://::1", "tcp", "[::1]:514"},
		{ParseSyslog, "unix:///dev/log", "unixgram", "/dev/log"},
		{ParseSyslog, "unix:///dev/log#dgram", "unixgram", "/dev/log"},
		{ParseSyslog, "unix:///dev/log#stream", "unix", "/dev/log"},
		{ParseStatsd, "", "", ""},
		{ParseStatsd, "localhost", "udp", "localhost:8125"},
		{ParseStatsd, "10.0.0.1:99", "udp", "10.0.0.1:99"},
		{ParseStatsd, "[::1]:99", "udp", "[::1]:99"},
		{ParseStatsd, "unix:///run/statsd", "unixgram", "/run/statsd"},
	} {
		network, where, err := tt.parse(tt.text)
		if network != tt.network || where != tt.where || err != nil {
			t.Errorf("%s: %q %q %v", tt.text, network, where, err)
		}
	}
}

func TestBadLoggingSettings(t *testing.T) {
	for _, tt := range []struct {
		scene scene
		want  string
	}{
		{option("--log-syslog-to=log.example"), "--log-syslog-to: 'log.example': " +
			"must be udp://HOST:PORT, tcp://HOST:PORT or unix://PATH#dgram"},
		{option("--log-syslog-to=unix:///x#raw"), "--log-syslog-to: 'unix:///x#raw': must end in #dgram or #stream"},
		{option("--log-syslog-to=udp://x:y"), "--log-syslog-to: 'udp://x:y': must have a port between 1 and 65535"},
		{option("--log-format=xml"), "--log-format: 'xml': must be text or json"},
		{option("--statsd-host=unix://"), "--statsd-host: 'unix://': must be HOST:PORT or unix://PATH"},
		{option("--dogstatsd-tags=a|b"), "--dogstatsd-tags: 'a|b': must not contain | or a line break"},
		{option("--statsd-prefix=a:b"), "--statsd-prefix: 'a:b': must not contain |, : or a line break"},
	} {
		wantValueError(t, tt.scene, "Invalid value for "+tt.want)
	}
}
