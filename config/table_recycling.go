package config

// When workers that are healthy make room for new ones.

var recyclingSettings = []*Setting{
	{
		Name: "max_requests", Flags: []string{"max-requests"}, Metavar: "INT", Section: "Worker Processes",
		Type: Int, Default: 0,
		Doc: "After how many requests a worker is replaced. It serves on until the new one is ready, so it may run a few " +
			"more. 0 never replaces.",
		field: func(c *Config) any { return &c.MaxRequests },
	},
	{
		Name: "max_requests_jitter", Flags: []string{"max-requests-jitter"}, Metavar: "INT", Section: "Worker Processes",
		Type: Int, Default: 0,
		Doc:   "The largest random number that each worker adds to max_requests, so that they do not end together.",
		field: func(c *Config) any { return &c.MaxRequestsJitter },
	},
	{
		Name: "max_worker_lifetime", Flags: []string{"max-worker-lifetime"}, Metavar: "SECONDS",
		Section: "Worker Processes",
		Type:    Int, Default: 0,
		Doc:   "After how many seconds a worker is replaced, whether it has work or not. 0 never replaces.",
		field: func(c *Config) any { return &c.MaxWorkerLifetime },
	},
	{
		Name: "max_worker_lifetime_jitter", Flags: []string{"max-worker-lifetime-jitter"}, Metavar: "SECONDS",
		Section: "Worker Processes",
		Type:    Int, Default: 0,
		Doc:   "The largest random time in seconds that each worker adds to max_worker_lifetime.",
		field: func(c *Config) any { return &c.MaxWorkerLifetimeJitter },
	},
	{
		Name: "max_worker_memory", Flags: []string{"max-worker-memory"}, Metavar: "MIB", Section: "Worker Processes",
		Type: Int, Default: 0,
		Doc: "A worker whose resident memory, with what it shares, exceeds this many MiB is replaced. The master looks " +
			"every 2 seconds. 0 sets no limit.",
		field: func(c *Config) any { return &c.MaxWorkerMemory },
	},
	{
		Name: "reload_on_exception", Flags: []string{"reload-on-exception"}, Section: "Worker Processes",
		Type: Bool, Default: false,
		Doc:   "Replace a worker after a request in which the application raised an exception.",
		field: func(c *Config) any { return &c.ReloadOnException },
	},
}
