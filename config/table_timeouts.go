package config

// How long requests, and what comes before them, may take.

var timeoutSettings = []*Setting{
	{
		Name: "request_timeout", Flags: []string{"request-timeout"}, Metavar: "SECONDS", Section: "Worker Processes",
		Type: Int, Default: 0,
		Doc: "How many seconds one request may run, in every kind of worker. Then pyhost.RequestTimeout is raised in it " +
			"and the client gets 504; if it does not end all the same, the worker is replaced. 0 means no limit.",
		field: func(c *Config) any { return &c.RequestTimeout },
	},
	{
		Name: "boot_timeout", Flags: []string{"boot-timeout"}, Metavar: "SECONDS", Section: "Worker Processes",
		Type: Int, Default: 0,
		Doc: "How many seconds the import of the application may take; a worker that is still at it then has failed to " +
			"boot, and the log says where it was. 0 means no limit.",
		field: func(c *Config) any { return &c.BootTimeout },
	},
}
