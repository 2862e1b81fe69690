package config

var mechanicsSettings = []*Setting{
	{
		Name: "preload_app", Flags: []string{"preload"}, Section: "Server Mechanics",
		Type: Bool, Default: false,
		Doc:   "Import the application before the workers are forked: they start at once and share its memory.",
		field: func(c *Config) any { return &c.PreloadApp },
	},
	{
		Name: "python", Flags: []string{"python"}, Metavar: "PATH", Section: "Server Mechanics",
		Type: String, Default: "", DefaultText: "the environment in $VIRTUAL_ENV, else python3 on $PATH",
		Doc:   "The Python to run the application with: an interpreter or the directory of a virtual environment.",
		field: func(c *Config) any { return &c.Python },
		item:  pythonItem,
	},
	{
		Name: "chdir", Flags: []string{"chdir"}, Metavar: "DIR", Section: "Server Mechanics",
		Type: String, Default: "", DefaultText: "the current directory",
		Doc:   "The directory to work in; it comes first in sys.path, behind those of pythonpath.",
		field: func(c *Config) any { return &c.Chdir },
		item:  chdirItem,
	},
	{
		Name: "pythonpath", Flags: []string{"pythonpath"}, Metavar: "DIRS", Section: "Server Mechanics",
		Type: String, Default: "",
		Doc:   "Directories to put into sys.path, separated by commas. The last one comes first.",
		field: func(c *Config) any { return &c.PythonPath },
	},
	{
		Name: "raw_env", Flags: []string{"env"}, Short: "e", Metavar: "NAME=VALUE", Section: "Server Mechanics",
		Type: List, Default: []string{},
		Doc:   "An environment variable for the application. Can be given several times.",
		field: func(c *Config) any { return &c.RawEnv },
		item:  rawEnvItem,
		words: splitWords,
	},
	{
		Name: "pidfile", Flags: []string{"pid"}, Short: "p", Metavar: "FILE", Section: "Server Mechanics",
		Type: String, Default: "",
		Doc:   "A file to write the process id of the master to.",
		field: func(c *Config) any { return &c.Pidfile },
	},
	{
		Name: "umask", Flags: []string{"umask"}, Short: "m", Metavar: "INT", Section: "Server Mechanics",
		Type: Int, Default: 0, max: 0o777, number: maskNumber,
		wants: "must be a number such as 0o022, or 022 as a string",
		Doc: "The file mode mask for unix sockets: octal with a leading 0 (022 or 0o022), else decimal, or " +
			"hexadecimal with 0x. 0 masks nothing, so that every user may connect.",
		field: func(c *Config) any { return &c.Umask },
	},
	{
		Name: "forwarded_allow_ips", Flags: []string{"forwarded-allow-ips"}, Metavar: "LIST", Section: "Server Mechanics",
		Type: List, Default: []string{"127.0.0.1", "::1"}, Env: "FORWARDED_ALLOW_IPS", commas: true,
		noneEmpties: true,
		Doc: "The proxies that are believed when they say that a request came over https: addresses and networks " +
			"(10.0.0.0/8) separated by commas, or * for all. An empty option trusts none. Unix sockets are " +
			"always believed.",
		field: func(c *Config) any { return &c.ForwardedAllowIPs },
		item:  peerItem,
	},
	{
		Name: "secure_scheme_headers", Metavar: "TABLE", Section: "Server Mechanics",
		Type: Map, Default: map[string]string{
			"X-FORWARDED-PROTOCOL": "ssl", "X-FORWARDED-PROTO": "https", "X-FORWARDED-SSL": "on",
		},
		Doc: "The headers of a believed proxy, and for each the exact value, that say that a request came over " +
			"https. In the variable: NAME=VALUE separated by commas.",
		field: func(c *Config) any { return &c.SecureSchemeHeaders },
	},
	{
		Name: "script_name", Metavar: "PATH", Section: "Server Mechanics",
		Type: String, Default: "", Env: "SCRIPT_NAME",
		Doc: "The path that the application is mounted at, as in /shop; SCRIPT_NAME=/shop in raw_env says the same. " +
			"Empty means the root.",
		field: func(c *Config) any { return &c.ScriptName },
		item:  scriptNameItem,
	},
}

var privilegeSettings = []*Setting{
	{
		Name: "daemon", Flags: []string{"daemon"}, Short: "D", Section: "Server Mechanics",
		Type: Bool, Default: false,
		Doc: "Detach from the terminal and serve in the background. The command returns when the workers are ready, or " +
			"with the exit code of a server that could not start. Give it an error-logfile, and an absolute one.",
		field: func(c *Config) any { return &c.Daemon },
	},
	{
		Name: "user", Flags: []string{"user"}, Short: "u", Metavar: "USER", Section: "Server Mechanics",
		Type: String, Default: "", DefaultText: "the user of the master",
		Doc: "The user, by name or number, that the workers run as once they are forked. The master stays what it is. " +
			"The group becomes the user's own unless one is given.",
		field:    func(c *Config) any { return &c.User },
		item:     userItem,
		orNumber: true,
	},
	{
		Name: "group", Flags: []string{"group"}, Short: "g", Metavar: "GROUP", Section: "Server Mechanics",
		Type: String, Default: "", DefaultText: "the group of the user",
		Doc:      "The group, by name or number, that the workers run as. They lose all other groups of the master.",
		field:    func(c *Config) any { return &c.Group },
		item:     groupItem,
		orNumber: true,
	},
	{
		Name: "initgroups", Flags: []string{"initgroups"}, Section: "Server Mechanics",
		Type: Bool, Default: false,
		Doc:   "Give the workers the supplementary groups of the user.",
		field: func(c *Config) any { return &c.InitGroups },
	},
	{
		Name: "enable_stdio_inheritance", Flags: []string{"enable-stdio-inheritance"}, Short: "R", Section: "Logging",
		Type: Bool, Default: false,
		Doc: "Leave a daemon the standard output and error that it was started with, unless they are a terminal; " +
			"otherwise they go to /dev/null.",
		field: func(c *Config) any { return &c.EnableStdioInheritance },
	},
}

var namingSettings = []*Setting{
	{
		Name: "proc_name", Flags: []string{"name"}, Short: "n", Metavar: "NAME", Section: "Process Naming",
		Type: String, Default: "", DefaultText: "the application",
		Doc:   "The name of this server in the titles of its processes.",
		field: func(c *Config) any { return &c.ProcName },
	},
	{
		Name: "default_proc_name", Metavar: "NAME", Section: "Process Naming",
		Type: String, Default: "", DefaultText: "the application",
		Doc:   "The name of this server if proc_name gives none.",
		field: func(c *Config) any { return &c.DefaultProcName },
	},
}
