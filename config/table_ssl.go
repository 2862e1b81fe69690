package config

var sslSettings = []*Setting{
	{
		Name: "keyfile", Flags: []string{"keyfile"}, Metavar: "FILE", Section: "SSL",
		Type: String, Default: "", DefaultText: "the key in certfile",
		Doc:   "The private key of certfile, PEM without a passphrase.",
		field: func(c *Config) any { return &c.KeyFile },
	},
	{
		Name: "certfile", Flags: []string{"certfile"}, Metavar: "FILE", Section: "SSL",
		Type: String, Default: "",
		Doc: "The certificate, with its chain, PEM. It turns TLS on for all addresses that do not say another protocol " +
			"(http://, http+unix:). Read again at each reload.",
		field: func(c *Config) any { return &c.CertFile },
	},
	{
		Name: "sni_certs", Flags: []string{"sni-cert"}, Metavar: "HOST=CERT,KEY", Section: "SSL",
		Type: List, Default: []string{},
		Doc: "Another certificate, for clients that ask for HOST (SNI), a name or *.example.org; without KEY it is in " +
			"CERT. certfile is for all others. Can be given several times.",
		field: func(c *Config) any { return &c.SNICerts },
		item:  sniCertItem,
		words: splitWords,
	},
	{
		Name: "ssl_version", Flags: []string{"ssl-version"}, Metavar: "NAME", Section: "SSL",
		Type: String, Default: "TLS", orNumber: true,
		Doc: "The versions that are spoken: TLS is 1.2 and newer, TLSv1_2 or TLSv1_3 that one alone; PROTOCOL_ may " +
			"stand before the name.",
		field: func(c *Config) any { return &c.SSLVersion },
		item:  sslVersionItem,
	},
	{
		Name: "cert_reqs", Flags: []string{"cert-reqs"}, Metavar: "INT", Section: "SSL",
		Type: Int, Default: 0, max: 2,
		Doc: "Whether clients need a certificate: 0 none is asked for, 1 one that is given must be valid, 2 required. " +
			"1 and 2 need ca_certs.",
		field: func(c *Config) any { return &c.CertReqs },
	},
	{
		Name: "ca_certs", Flags: []string{"ca-certs"}, Metavar: "FILE", Section: "SSL",
		Type: String, Default: "",
		Doc:   "The authorities that clients' certificates must be signed by, PEM.",
		field: func(c *Config) any { return &c.CACerts },
	},
	{
		Name: "suppress_ragged_eofs", Flags: []string{"suppress-ragged-eofs"}, Section: "SSL",
		Type: Bool, Default: true,
		Doc: "Take a connection that ends without TLS's own end for an ordinary end. Off, it counts as broken. A cut " +
			"request is never run either way.",
		field: func(c *Config) any { return &c.SuppressRaggedEOFs },
	},
	{
		Name: "do_handshake_on_connect", Flags: []string{"do-handshake-on-connect"}, Section: "SSL",
		Type: Bool, Default: false,
		Doc:   "Without effect: handshakes never hold up a worker, so there is nothing to choose.",
		field: func(c *Config) any { return &c.DoHandshakeOnConnect },
	},
	{
		Name: "ciphers", Flags: []string{"ciphers"}, Metavar: "LIST", Section: "SSL",
		Type: String, Default: "", DefaultText: "Go's choice",
		Doc: "The cipher suites of TLS 1.2, as OpenSSL writes lists (ECDHE+AESGCM:!SHA1). Those of TLS 1.3 are not " +
			"chosen.",
		field: func(c *Config) any { return &c.Ciphers },
	},
}
