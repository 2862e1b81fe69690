package config

var loggingSettings = []*Setting{
	{
		Name: "accesslog", Flags: []string{"access-logfile"}, Metavar: "FILE", Section: "Logging",
		Type: String, Default: "",
		Doc:   "The file for the access log; - is the standard output. Empty means no access log.",
		field: func(c *Config) any { return &c.AccessLog },
	},
	{
		Name: "access_log_format", Flags: []string{"access-logformat"}, Metavar: "FORMAT", Section: "Logging",
		Type: String, Default: `%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"`,
		Doc:   "The format of a line of the access log.",
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
		Type: String, Default: "info",
		Doc:   "The least severe messages in the error log: debug, info, warning, error or critical.",
		field: func(c *Config) any { return &c.LogLevel },
		item:  logLevelItem,
	},
}
