package config

import (
	"errors"
	"strings"
)

var http2Settings = []*Setting{
	{
		Name: "http_protocols", Flags: []string{"http-protocols"}, Metavar: "LIST", Section: "HTTP/2",
		Type: String, Default: "h1",
		Doc: "The versions of HTTP that are spoken with TLS, the preferred one first: h1, h2, or both with a comma. " +
			"Without TLS it is always HTTP/1.1.",
		field: func(c *Config) any { return &c.HTTPProtocols },
		item:  httpProtocolsItem,
	},
	{
		Name: "http2_max_concurrent_streams", Flags: []string{"http2-max-concurrent-streams"}, Metavar: "INT",
		Section: "HTTP/2", Type: Int, Default: 100, min: 1,
		Doc:   "How many requests a client may have open at once on one HTTP/2 connection.",
		field: func(c *Config) any { return &c.HTTP2MaxConcurrentStreams },
	},
	{
		Name: "http2_initial_window_size", Flags: []string{"http2-initial-window-size"}, Metavar: "BYTES",
		Section: "HTTP/2", Type: Int, Default: 65535, min: 1, max: 4<<20 - 1,
		Doc:   "How much of a request body a client may send ahead on one stream.",
		field: func(c *Config) any { return &c.HTTP2InitialWindowSize },
	},
	{
		Name: "http2_max_frame_size", Flags: []string{"http2-max-frame-size"}, Metavar: "BYTES",
		Section: "HTTP/2", Type: Int, Default: 16384, min: 16384, max: 16777215,
		Doc:   "The largest frame that a client may send.",
		field: func(c *Config) any { return &c.HTTP2MaxFrameSize },
	},
	{
		Name: "http2_max_header_list_size", Flags: []string{"http2-max-header-list-size"}, Metavar: "BYTES",
		Section: "HTTP/2", Type: Int, Default: 65536,
		Doc: "The largest request head in bytes, counted as RFC 9113 6.5.2 does; 0 leaves only the limits of HTTP/1.1, " +
			"which apply as well.",
		field: func(c *Config) any { return &c.HTTP2MaxHeaderListSize },
	},
}

// httpProtocolsItem normalises a list of h1 and h2.
func httpProtocolsItem(_, list string) (string, error) {
	seen := map[string]bool{}
	var names []string
	for name := range strings.SplitSeq(strings.ToLower(list), ",") {
		name = strings.TrimSpace(name)
		if name != "h1" && name != "h2" || seen[name] {
			return "", errors.New("must be h1, h2, or both with a comma between")
		}
		seen[name] = true
		names = append(names, name)
	}
	return strings.Join(names, ","), nil
}
