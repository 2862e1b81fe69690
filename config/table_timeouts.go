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
	{
		Name: "handover", Flags: []string{"no-handover"}, Section: "Worker Processes",
		Type: Bool, Default: true, off: true,
		Doc: "Give a request that waits on a connection of a busy worker to a worker that is free. With reuse_port " +
			"nothing is given: the kernel spreads the connections there.",
		field: func(c *Config) any { return &c.Handover },
	},
	{
		Name: "queue_limit", Flags: []string{"queue-limit"}, Metavar: "INT", Section: "Worker Processes",
		Type: Int, Default: 0,
		Doc: "How many requests may wait for a thread of one worker while all workers are busy; more get 503 with " +
			"Retry-After. 0 means any number.",
		field: func(c *Config) any { return &c.QueueLimit },
	},
	{
		Name: "queue_timeout", Flags: []string{"queue-timeout"}, Metavar: "SECONDS", Section: "Worker Processes",
		Type: Int, Default: 0,
		Doc: "How many seconds a request may wait for a thread while all workers are busy; then it gets 503 with " +
			"Retry-After. 0 means any time.",
		field: func(c *Config) any { return &c.QueueTimeout },
	},
}
