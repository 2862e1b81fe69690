package config

// The names, options, defaults and sections are gunicorn's. A field's meaning is documented in Config.

var fileSettings = []*Setting{
	{
		Name: "config", Flags: []string{"config"}, Short: "c", Metavar: "FILE", Section: "Config File",
		Type: String, Default: "",
		DefaultText: "the first of ./pyhost.toml, ./pyhost.conf.py, [tool.pyhost] in ./pyproject.toml, ./gunicorn.conf.py",
		Doc: "The file to read settings from; its keys are the names of the settings. *.toml is TOML, any other name (or " +
			"python:MODULE) is Python; script:PATH is a program that calls pyhost.run().",
	},
	{
		Name: "wsgi_app", Metavar: "APP_MODULE", Section: "Config File",
		Type: String, Default: "",
		Doc: "The application, if the command line names none: MODULE[:CALLABLE] (CALLABLE is `application` if left " +
			"out) or MODULE:FACTORY(ARGUMENTS).",
		field: func(c *Config) any { return &c.App },
	},
}

var socketSettings = []*Setting{
	{
		Name: "bind", Flags: []string{"bind"}, Short: "b", Metavar: "ADDRESS", Section: "Server Socket",
		Type: List, Default: []string{"127.0.0.1:8000"}, DefaultText: "127.0.0.1:8000, or 0.0.0.0:$PORT if PORT is set",
		Env: "PORT",
		Doc: "An address to listen on: HOST, HOST:PORT, [IPV6]:PORT, unix:PATH or fd://N. The port is 8000 if left " +
			"out. http://, https://, uwsgi:// or, before a path, http+unix:, https+unix: or uwsgi+unix: say what is " +
			"spoken there. Can be given several times.",
		field:  func(c *Config) any { return &c.Bind },
		item:   bindItem,
		words:  commasOrSpaces,
		expand: func(port string) string { return "0.0.0.0:" + port },
	},
	{
		Name: "backlog", Flags: []string{"backlog"}, Metavar: "INT", Section: "Server Socket",
		Type: Int, Default: 2048,
		Doc:   "How many connections may wait to be accepted; the kernel's net.core.somaxconn bounds it.",
		field: func(c *Config) any { return &c.Backlog },
	},
	{
		Name: "reuse_port", Flags: []string{"reuse-port"}, Section: "Server Socket",
		Type: Bool, Default: false,
		Doc:   "Open a socket for each worker (SO_REUSEPORT), so that the kernel spreads the connections.",
		field: func(c *Config) any { return &c.ReusePort },
	},
}

var workerSettings = []*Setting{
	{
		Name: "workers", Flags: []string{"workers"}, Short: "w", Metavar: "INT", Section: "Worker Processes",
		Type: Int, Default: 1, Env: "WEB_CONCURRENCY", max: maxWorkers, auto: workersForMachine,
		Doc: "How many worker processes to run. auto is 2 * CPUs + 1, of those that the process may use: the affinity and " +
			"the cgroup's quota count. 0 starts none: connections wait until the signal TTIN adds one.",
		field: func(c *Config) any { return &c.Workers },
	},
	{
		Name: "worker_class", Flags: []string{"worker-class"}, Short: "k", Metavar: "NAME", Section: "Worker Processes",
		Type: String, Default: "sync", Choices: []string{"sync", "gthread"},
		Doc: "The kind of worker: sync runs one request at a time, gthread as many as it has threads. sync with more " +
			"than one thread becomes gthread.",
		field: func(c *Config) any { return &c.WorkerClass },
		item:  workerClassItem,
	},
	{
		Name: "threads", Flags: []string{"threads"}, Metavar: "INT", Section: "Worker Processes",
		Type: Int, Default: 1, min: 1,
		Doc:   "How many threads of each worker run the application; at least 1.",
		field: func(c *Config) any { return &c.Threads },
	},
	{
		Name: "worker_connections", Flags: []string{"worker-connections"}, Metavar: "INT", Section: "Worker Processes",
		Type: Int, Default: 1000, min: 1,
		Doc: "How many connections a worker holds at once, idle ones included; at least 1. At the limit a new one takes " +
			"the place of the one that has been idle for longest; where none is idle, it waits.",
		field: func(c *Config) any { return &c.WorkerConnections },
	},
	{
		Name: "timeout", Flags: []string{"timeout"}, Short: "t", Metavar: "SECONDS", Section: "Worker Processes",
		Type: Int, Default: 30,
		Doc:   "A worker that shows no sign of life for this many seconds is killed and replaced. 0 never kills.",
		field: func(c *Config) any { return &c.Timeout },
	},
	{
		Name: "graceful_timeout", Flags: []string{"graceful-timeout"}, Metavar: "SECONDS", Section: "Worker Processes",
		Type: Int, Default: 30,
		Doc: "How many seconds a worker may go on with the requests it has when it is told to stop or reload. 0 " +
			"gives none.",
		field: func(c *Config) any { return &c.GracefulTimeout },
	},
	{
		Name: "keepalive", Flags: []string{"keep-alive"}, Metavar: "SECONDS", Section: "Worker Processes",
		Type: Int, Default: 2,
		Doc:   "How many seconds an idle connection waits for its next request. 0 closes it after each response.",
		field: func(c *Config) any { return &c.KeepAlive },
	},
}

var securitySettings = []*Setting{
	{
		Name: "limit_request_line", Flags: []string{"limit-request-line"}, Metavar: "BYTES", Section: "Security",
		Type: Int, Default: 4094,
		Doc:   "The longest request line in bytes. 0 leaves only the limit of the whole request head.",
		field: func(c *Config) any { return &c.LimitRequestLine },
	},
	{
		Name: "limit_request_fields", Flags: []string{"limit-request-fields"}, Metavar: "INT", Section: "Security",
		Type: Int, Default: 100,
		Doc:   "The largest number of headers of a request. 0, or more than 32768, means 32768.",
		field: func(c *Config) any { return &c.LimitRequestFields },
	},
	{
		// gunicorn spells its option with an underscore; the hyphen is what everybody types first.
		Name: "limit_request_field_size", Flags: []string{"limit-request-field_size", "limit-request-field-size"},
		Metavar: "BYTES", Section: "Security",
		Type: Int, Default: 8190,
		Doc:   "The longest header of a request in bytes. 0 leaves only the limit of the whole request head.",
		field: func(c *Config) any { return &c.LimitRequestFieldSize },
	},
}
