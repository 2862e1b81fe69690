package config

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// defaultLoggerClass is the default of logger_class. It stands for the logs that pyhost writes itself.
const defaultLoggerClass = "gunicorn.glogging.Logger"

// HasLoggerClass reports whether a class of Python's writes the logs (logger_class), not pyhost itself.
func (c *Config) HasLoggerClass() bool {
	return c.LoggerClass != "" && c.LoggerClass != defaultLoggerClass
}

var loggingSettings = []*Setting{
	{
		Name: "accesslog", Flags: []string{"access-logfile"}, Metavar: "FILE", Section: "Logging",
		Type: String, Default: "",
		Doc:   "The file for the access log; - is the standard output. Empty means no access log.",
		field: func(c *Config) any { return &c.AccessLog },
	},
	{
		Name: "disable_redirect_access_to_syslog", Flags: []string{"disable-redirect-access-to-syslog"},
		Section: "Logging", Type: Bool, Default: false,
		Doc:   "Keep the access log out of syslog, where the error log goes to it.",
		field: func(c *Config) any { return &c.DisableRedirectAccessToSyslog },
	},
	{
		Name: "access_log_format", Flags: []string{"access-logformat"}, Metavar: "FORMAT", Section: "Logging",
		Type: String, Default: `%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"`,
		Doc: "The format of a line of the access log, in gunicorn's atoms, or one of the words common, combined " +
			"and json.",
		field: func(c *Config) any { return &c.AccessLogFormat },
	},
	{
		Name: "errorlog", Flags: []string{"error-logfile", "log-file"}, Metavar: "FILE", Section: "Logging",
		Type: String, Default: "-",
		Doc:   "The file for the error log; - is the standard error.",
		field: func(c *Config) any { return &c.ErrorLog },
		item:  errorLogItem,
	},
	{
		Name: "loglevel", Flags: []string{"log-level"}, Metavar: "LEVEL", Section: "Logging",
		Type: String, Default: "info", Choices: []string{"debug", "info", "warning", "error", "critical"},
		Doc:   "The least severe messages in the error log: debug, info, warning, error or critical.",
		field: func(c *Config) any { return &c.LogLevel },
		item:  logLevelItem,
	},
	{
		Name: "log_format", Flags: []string{"log-format"}, Metavar: "FORM", Section: "Logging",
		Type: String, Default: "text", Choices: []string{"text", "json"},
		Doc:   "The form of the error log: text is gunicorn's, json an object with typed fields on each line.",
		field: func(c *Config) any { return &c.LogFormat },
	},
	{
		Name: "capture_output", Flags: []string{"capture-output"}, Section: "Logging",
		Type: Bool, Default: false,
		Doc: "Write what the application prints into the file of the error log. Without a file it goes to the " +
			"standard output and error anyway.",
		field: func(c *Config) any { return &c.CaptureOutput },
	},
	{
		Name: "logger_class", Flags: []string{"logger-class"}, Metavar: "CLASS", Section: "Logging",
		Type: String, Default: defaultLoggerClass,
		Doc: "A Python class with the methods of gunicorn.glogging.Logger, as MODULE.CLASS, that writes the logs. " +
			"The default stands for pyhost itself, and needs no gunicorn.",
		field: func(c *Config) any { return &c.LoggerClass },
	},
	{
		Name: "logconfig", Flags: []string{"log-config"}, Metavar: "FILE", Section: "Logging",
		Type: String, Default: "",
		Doc:   "A file for Python's logging.config.fileConfig; the logs go through gunicorn.error and gunicorn.access.",
		field: func(c *Config) any { return &c.LogConfig },
	},
	{
		Name: "logconfig_dict", Section: "Logging", Type: Object, Default: map[string]any{}, DefaultText: "{}",
		Doc:   "A table for Python's logging.config.dictConfig, which is used in place of logconfig_json and logconfig.",
		field: func(c *Config) any { return &c.LogConfigDict },
	},
	{
		Name: "logconfig_json", Flags: []string{"log-config-json"}, Metavar: "FILE", Section: "Logging",
		Type: String, Default: "",
		Doc:   "A JSON file for Python's logging.config.dictConfig, which is used in place of logconfig.",
		field: func(c *Config) any { return &c.LogConfigJSON },
	},
}

var syslogSettings = []*Setting{
	{
		Name: "syslog_addr", Flags: []string{"log-syslog-to"}, Metavar: "ADDRESS", Section: "Logging",
		Type: String, Default: "udp://localhost:514",
		Doc: "Where syslog listens: udp://HOST:PORT, tcp://HOST:PORT or unix://PATH, with #dgram (the default) or " +
			"#stream behind PATH.",
		field: func(c *Config) any { return &c.SyslogAddr },
		item: func(_, text string) (string, error) {
			_, _, err := ParseSyslog(text)
			return text, err
		},
	},
	{
		Name: "syslog", Flags: []string{"log-syslog"}, Section: "Logging", Type: Bool, Default: false,
		Doc:   "Send the error log and the access log to syslog too.",
		field: func(c *Config) any { return &c.Syslog },
	},
	{
		Name: "syslog_prefix", Flags: []string{"log-syslog-prefix"}, Metavar: "NAME", Section: "Logging",
		Type: String, Default: "",
		DefaultText: "proc_name",
		Doc:         "Messages in syslog are those of the programs gunicorn.NAME.error and gunicorn.NAME.access.",
		field:       func(c *Config) any { return &c.SyslogPrefix },
	},
	{
		Name: "syslog_facility", Flags: []string{"log-syslog-facility"}, Metavar: "FACILITY", Section: "Logging",
		Type: String, Default: "user",
		Doc:   "The facility in syslog: user, daemon, local0 to local7...",
		field: func(c *Config) any { return &c.SyslogFacility },
		item: func(_, text string) (string, error) {
			if _, ok := SyslogFacilities[strings.ToLower(text)]; !ok {
				return "", errors.New("must be " + either(slices.Sorted(maps.Keys(SyslogFacilities))))
			}
			return strings.ToLower(text), nil
		},
	},
}

var statsdSettings = []*Setting{
	{
		Name: "statsd_host", Flags: []string{"statsd-host"}, Metavar: "ADDRESS", Section: "Logging",
		Type: String, Default: "",
		Doc:   "Where statsd listens: HOST:PORT or unix://PATH; the port is 8125 if left out. Empty means no statsd.",
		field: func(c *Config) any { return &c.StatsdHost },
		item: func(_, text string) (string, error) {
			_, _, err := ParseStatsd(text)
			return text, err
		},
	},
	{
		Name: "dogstatsd_tags", Flags: []string{"dogstatsd-tags"}, Metavar: "TAGS", Section: "Logging",
		Type: String, Default: "",
		Doc:   "Tags for each metric, separated by commas, for statsd servers that know DogStatsD's extension.",
		field: func(c *Config) any { return &c.DogstatsdTags },
		item: func(_, text string) (string, error) {
			if strings.ContainsAny(text, "|\n") {
				return "", errors.New("must not contain | or a line break")
			}
			return text, nil
		},
	},
	{
		Name: "enable_backlog_metric", Flags: []string{"enable-backlog-metric"}, Section: "Logging",
		Type: Bool, Default: false,
		Doc: "Tell statsd each second how many connections wait to be accepted, as gunicorn.backlog: those of TCP " +
			"addresses, for the kernel does not count those of unix sockets.",
		field: func(c *Config) any { return &c.EnableBacklogMetric },
	},
	{
		Name: "statsd_prefix", Flags: []string{"statsd-prefix"}, Metavar: "PREFIX", Section: "Logging",
		Type: String, Default: "",
		Doc:   "What the names of all metrics begin with; a dot comes behind it.",
		field: func(c *Config) any { return &c.StatsdPrefix },
		item: func(_, text string) (string, error) {
			if strings.ContainsAny(text, "|:\n") {
				return "", errors.New("must not contain |, : or a line break")
			}
			return text, nil
		},
	},
}
