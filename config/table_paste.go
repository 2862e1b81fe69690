package config

var pasteSettings = []*Setting{
	{
		Name: "paste", Flags: []string{"paste", "paster"}, Metavar: "FILE", Section: "Server Mechanics",
		Type: String, Default: "",
		Doc: "Serve the application of a PasteDeploy file, FILE or FILE#NAME, such as Pyramid's development.ini. Settings " +
			"in its [server:main] count as the weakest source if `use` there is egg:pyhost or egg:gunicorn, and its " +
			"[loggers] as logconfig. It needs PasteDeploy in the environment.",
		field: func(c *Config) any { return &c.Paste },
		item:  pasteItem,
	},
	{
		Name: "raw_paste_global_conf", Flags: []string{"paste-global"}, Metavar: "NAME=VALUE",
		Section: "Server Mechanics", Type: List, Default: []string{},
		Doc:   "A value for the global configuration of the file of --paste. Can be given several times.",
		field: func(c *Config) any { return &c.PasteGlobal },
		item:  rawEnvItem,
		words: splitWords,
	},
}
