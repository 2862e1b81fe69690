package config

// What a request may look like, how long its client may take, and where its body is kept. The settings that gunicorn
// does not have are named after their kin.

var clientSettings = []*Setting{
	{
		Name: "limit_request_body", Flags: []string{"limit-request-body"}, Metavar: "BYTES", Section: "Security",
		Type: Int, Default: 0, max: 1 << 50, number: sizeNumber, wants: wantsSize,
		Doc: "The largest request body in bytes, or with K, M, G: 10M. A larger one is answered with 413, before it is " +
			"read. 0 means any size.",
		field: func(c *Config) any { return &c.LimitRequestBody },
	},
	{
		Name: "header_timeout", Flags: []string{"header-timeout"}, Metavar: "SECONDS", Section: "Security",
		Type: Int, Default: 30,
		Doc: "How many seconds a client may take to send the head of a request, and how long a new connection may stay " +
			"silent. 0 waits for ever.",
		field: func(c *Config) any { return &c.HeaderTimeout },
	},
	{
		Name: "body_timeout", Flags: []string{"body-timeout"}, Metavar: "SECONDS", Section: "Security",
		Type: Int, Default: 60,
		Doc:   "How many seconds a client may pause while it sends a request body. 0 waits for ever.",
		field: func(c *Config) any { return &c.BodyTimeout },
	},
	{
		Name: "body_min_rate", Flags: []string{"body-min-rate"}, Metavar: "BYTES", Section: "Security",
		Type: Int, Default: 240, number: sizeNumber, wants: wantsSize,
		Doc: "How many bytes of a request body a client has to send per second, on average, once body_timeout has passed " +
			"since its head. 0 accepts any rate; body_timeout = 0 too.",
		field: func(c *Config) any { return &c.BodyMinRate },
	},
	{
		Name: "write_timeout", Flags: []string{"write-timeout"}, Metavar: "SECONDS", Section: "Security",
		Type: Int, Default: 60,
		Doc: "How many seconds a client may take nothing of a response. Then the connection is closed, and a generator " +
			"that waits for the client is closed too. 0 waits for ever.",
		field: func(c *Config) any { return &c.WriteTimeout },
	},
}

var bodySettings = []*Setting{
	{
		Name: "request_buffering", Flags: []string{"no-request-buffering"}, Section: "Server Mechanics",
		Type: Bool, Default: true, off: true,
		Doc: "Run the application when the whole body of a request is there. Without, it runs at once and reads the body " +
			"as it comes: for progress bars and endless uploads. A slow client then holds a thread.",
		field: func(c *Config) any { return &c.RequestBuffering },
	},
	{
		Name: "spool_threshold", Flags: []string{"spool-threshold"}, Metavar: "BYTES", Section: "Server Mechanics",
		Type: Int, Default: 256 << 10, DefaultText: "262144", max: 1 << 30, number: sizeNumber, wants: wantsSize,
		Doc: "The largest request body in bytes, or with K, M, G, that is kept in memory; a larger one goes to a temporary " +
			"file. 0 keeps none.",
		field: func(c *Config) any { return &c.SpoolThreshold },
	},
	{
		Name: "spool_dir", Flags: []string{"spool-dir"}, Metavar: "DIR", Section: "Server Mechanics",
		Type: String, Default: "", DefaultText: "tmp_upload_dir, or else $TMPDIR, or else /tmp",
		Doc:   "Where the temporary files for bodies are. They have no names and vanish with their requests.",
		field: func(c *Config) any { return &c.SpoolDir },
		item:  optionalDirItem,
	},
	{
		Name: "spool_response_limit", Flags: []string{"spool-response-limit"}, Metavar: "BYTES",
		Section: "Server Mechanics",
		Type:    Int, Default: 64 << 20, DefaultText: "67108864", max: 1 << 50, number: sizeNumber, wants: wantsSize,
		Doc: "How many bytes, or with K, M, G, of a response that comes block by block are kept in a temporary file while " +
			"its client is slower than the application. When it is full the application waits for the client, and its " +
			"thread with it. 0 keeps nothing.",
		field: func(c *Config) any { return &c.SpoolResponseLimit },
	},
	{
		Name: "tmp_upload_dir", Metavar: "DIR", Section: "Server Mechanics",
		Type: String, Default: "",
		Doc:   "gunicorn's name for spool_dir, which goes first.",
		field: func(c *Config) any { return &c.TmpUploadDir },
		item:  optionalDirItem,
	},
	{
		Name: "sendfile", Flags: []string{"no-sendfile"}, Section: "Server Mechanics",
		Type: Bool, Default: true, off: true, Env: "SENDFILE", expand: sendfileWord,
		Doc: "Have the kernel send the files that applications return with wsgi.file_wrapper, without a thread that waits. " +
			"$SENDFILE turns it off unless it is y, yes, true or 1.",
		field: func(c *Config) any { return &c.Sendfile },
	},
}

var headSettings = []*Setting{
	{
		Name: "permit_obsolete_folding", Flags: []string{"permit-obsolete-folding"}, Section: "Server Mechanics",
		Type: Bool, Default: false,
		Doc: "Accept headers that go on in a next line that begins with whitespace; they are joined by a space. Host, " +
			"Content-Length and Transfer-Encoding may not.",
		field: func(c *Config) any { return &c.PermitObsoleteFolding },
	},
	{
		Name: "strip_header_spaces", Flags: []string{"strip-header-spaces"}, Section: "Server Mechanics",
		Type: Bool, Default: false,
		Doc: "Accept whitespace between the name of a header and its colon. Dangerous: proxies may read such headers " +
			"otherwise.",
		field: func(c *Config) any { return &c.StripHeaderSpaces },
	},
	{
		Name:  "permit_unconventional_http_method",
		Flags: []string{"permit-unconventional-http-method"}, Section: "Server Mechanics",
		Type: Bool, Default: false,
		Doc:   "Accept any token as a method: of any length, with lower-case letters and all punctuation that tokens have.",
		field: func(c *Config) any { return &c.PermitUnconventionalMethod },
	},
	{
		Name:  "permit_unconventional_http_version",
		Flags: []string{"permit-unconventional-http-version"}, Section: "Server Mechanics",
		Type: Bool, Default: false,
		Doc: "Accept versions other than HTTP/1.0 and HTTP/1.1 in the request line; they are served as the nearest of " +
			"these.",
		field: func(c *Config) any { return &c.PermitUnconventionalVersion },
	},
	{
		Name: "casefold_http_method", Flags: []string{"casefold-http-method"}, Section: "Server Mechanics",
		Type: Bool, Default: false,
		Doc:   "Accept methods in lower case and turn them into upper case.",
		field: func(c *Config) any { return &c.CasefoldMethod },
	},
	{
		Name: "forwarder_headers", Flags: []string{"forwarder-headers"}, Metavar: "LIST", Section: "Server Mechanics",
		Type: List, Default: []string{"SCRIPT_NAME", "PATH_INFO"}, commas: true, noneEmpties: true,
		Doc: "Headers with an underscore in their name that a proxy in forwarded_allow_ips may send, separated by commas; " +
			"* for any. SCRIPT_NAME says where the application is mounted.",
		field: func(c *Config) any { return &c.ForwarderHeaders },
	},
	{
		Name: "header_map", Flags: []string{"header-map"}, Metavar: "WORD", Section: "Server Mechanics",
		Type: String, Default: "drop", Choices: []string{"drop", "refuse", "dangerous"},
		Doc: "What becomes of other headers with an underscore: drop hides them from the application, refuse answers 400, " +
			"dangerous takes X_Auth for X-Auth, which a client could use to fake a proxy's header.",
		field: func(c *Config) any { return &c.HeaderMap },
		item:  headerMapItem,
	},
}
