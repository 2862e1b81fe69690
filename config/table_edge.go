package config

// What stands between the listening sockets and the application: proxies in front, and their protocols.

var protocolSettings = []*Setting{
	{
		Name: "real_ip", Flags: []string{"real-ip"}, Metavar: "HEADER", Section: "Server Mechanics",
		Type: String, Default: "off", bare: "X-Forwarded-For",
		follows: []string{"off", "x-forwarded-for", "forwarded", "x-real-ip"},
		Doc: "The header in which the proxies of forwarded_allow_ips tell the client's address, which becomes REMOTE_ADDR: " +
			"X-Forwarded-For (the bare option), Forwarded, or another one with an address. off: REMOTE_ADDR is the proxy's.",
		field: func(c *Config) any { return &c.RealIP },
		item:  headerOrOffItem,
	},
	{
		Name: "request_id_header", Flags: []string{"request-id-header"}, Metavar: "HEADER", Section: "Server Mechanics",
		Type: String, Default: "off",
		Doc: "The header with an ID for each request, for instance X-Request-ID: taken over from the proxies of " +
			"forwarded_allow_ips, else made. It is in the environ and in the log of errors. off: no IDs.",
		field: func(c *Config) any { return &c.RequestIDHeader },
		item:  headerOrOffItem,
	},
	{
		Name: "proxy_protocol", Flags: []string{"proxy-protocol"}, Metavar: "MODE", Section: "Server Mechanics",
		Type: String, Default: "off", bare: "auto",
		follows: []string{"off", "v1", "v2", "auto", "true", "false"},
		Doc: "Read HAProxy's PROXY header at the beginning of connections: off, v1 (text), v2 (binary) or auto, which is " +
			"both and what the bare option means. A connection of a believed proxy without one is served all the same.",
		field: func(c *Config) any { return &c.ProxyProtocol },
		item:  proxyProtocolItem,
	},
	{
		Name: "proxy_allow_ips", Flags: []string{"proxy-allow-from"}, Metavar: "LIST", Section: "Server Mechanics",
		Type: List, Default: []string{"127.0.0.1", "::1"}, commas: true, noneEmpties: true,
		Doc: "Who may send a PROXY header: addresses and networks (10.0.0.0/8) separated by commas, or * for all. Unix " +
			"sockets are always allowed.",
		field: func(c *Config) any { return &c.ProxyAllowIPs },
		item:  peerItem,
	},
	{
		Name: "protocol", Flags: []string{"protocol"}, Metavar: "NAME", Section: "Server Mechanics",
		Type: String, Default: ProtocolHTTP,
		Doc: "What is spoken on addresses that do not say it themselves: http, or uwsgi, which is nginx's uwsgi_pass. " +
			"A bind such as uwsgi://127.0.0.1:3031 or uwsgi+unix:PATH says it itself.",
		field: func(c *Config) any { return &c.Protocol },
		item:  protocolItem,
	},
	{
		Name: "uwsgi_allow_ips", Flags: []string{"uwsgi-allow-from"}, Metavar: "LIST", Section: "Server Mechanics",
		Type: List, Default: []string{"127.0.0.1", "::1"}, commas: true, noneEmpties: true,
		Doc: "Who may speak the uwsgi protocol: addresses and networks (10.0.0.0/8) separated by commas, or * for all. " +
			"Unix sockets are always allowed.",
		field: func(c *Config) any { return &c.UWSGIAllowIPs },
		item:  peerItem,
	},
	{
		Name: "uwsgi_buffer_size", Flags: []string{"uwsgi-buffer-size"}, Metavar: "BYTES", Section: "Server Mechanics",
		Type: Int, Default: 65535, min: 1, max: 65535,
		Doc: "The largest block of variables (request line, headers, uwsgi_param) of a uwsgi packet in bytes; at most " +
			"65535, which is all that the protocol can express.",
		field: func(c *Config) any { return &c.UWSGIBufferSize },
	},
}
