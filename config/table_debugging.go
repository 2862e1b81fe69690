package config

var debuggingSettings = []*Setting{
	{
		Name: "reload", Flags: []string{"reload"}, Section: "Debugging",
		Type: Bool, Default: false,
		Doc: "Load the application again when its code changes: the files of all modules that were imported, the " +
			"configuration file and those of reload_extra_files. Code that does not load is shown, and the workers " +
			"of before serve on. For development.",
		field: func(c *Config) any { return &c.Reload },
	},
	{
		Name: "reload_engine", Flags: []string{"reload-engine"}, Metavar: "NAME", Section: "Debugging",
		Type: String, Default: "auto", Choices: []string{"auto", "inotify", "poll"},
		Doc: "How reload notices changes: inotify is told by the kernel, poll looks each second, also on network and " +
			"shared file systems that tell nothing; auto is inotify, or poll where that fails.",
		field: func(c *Config) any { return &c.ReloadEngine },
	},
	{
		Name: "reload_extra_files", Flags: []string{"reload-extra-file"}, Metavar: "FILE", Section: "Debugging",
		Type: List, Default: []string{},
		Doc: "Another file that reload watches, or a pattern such as templates/**/*.html, seen from where pyhost was " +
			"started. Can be given several times.",
		field: func(c *Config) any { return &c.ReloadExtraFiles },
		item:  extraFileItem,
		words: splitWords,
	},
	{
		Name: "check_config", Flags: []string{"check-config"}, Section: "Debugging",
		Type: Bool, Default: false,
		Doc:   "Check the settings, import the application and exit: with 0, or with 1 if something is wrong.",
		field: func(c *Config) any { return &c.CheckConfig },
	},
	{
		Name: "print_config", Flags: []string{"print-config"}, Section: "Debugging",
		Type: Bool, Default: false,
		Doc:   "Print each setting, as TOML, with where its value comes from; then do what check_config does.",
		field: func(c *Config) any { return &c.PrintConfig },
	},
}
