package config

// Sentences that several settings share.
const (
	speakHTTP1 = "HTTP/2 is spoken with TLS only, see http_protocols"
	aboutASGI  = "it is about ASGI applications, and pyhost serves WSGI"
	useQueue   = "there are no dirty arbiters; run long jobs in a task queue, such as Celery, or in another pyhost"
	noDirty    = "there are no dirty arbiters"
	useSignals = "there is no control socket; use signals"
)

// absent are gunicorn's settings that do not exist here. Whoever brings a configuration along hears what to do instead.
// A setting with Unused earns a warning, because the server works without it; the others are refused. Default is
// gunicorn's, and it is accepted, as are the Choices.
var absent = []*Setting{
	{
		Name: "asgi_disconnect_grace_period", Flags: []string{"asgi-disconnect-grace-period"},
		Type: Int, Default: 3, Unused: true,
		Instead: aboutASGI,
	},
	{
		Name: "asgi_lifespan", Flags: []string{"asgi-lifespan"}, Type: String, Default: "auto", Unused: true,
		Instead: aboutASGI,
	},
	{
		Name: "asgi_loop", Flags: []string{"asgi-loop"}, Type: String, Default: "auto", Unused: true,
		Instead: aboutASGI,
	},
	{
		Name: "control_socket", Flags: []string{"control-socket"}, Type: String, Default: "", Unused: true,
		Instead: useSignals,
	},
	{
		Name: "control_socket_disable", Flags: []string{"no-control-socket"}, Type: Bool, Default: true, Unused: true,
		Instead: useSignals,
	},
	{
		Name: "control_socket_mode", Flags: []string{"control-socket-mode"},
		Type: String, Default: "0600", Unused: true,
		Instead: useSignals,
	},
	{
		Name: "dirty_apps", Flags: []string{"dirty-app"}, Type: List, Default: []string{},
		Instead: useQueue,
	},
	{
		Name: "dirty_graceful_timeout", Flags: []string{"dirty-graceful-timeout"},
		Type: Int, Default: 30, Unused: true,
		Instead: noDirty,
	},
	{
		Name: "dirty_post_fork", Type: Hook, Unused: true,
		Instead: noDirty,
	},
	{
		Name: "dirty_threads", Flags: []string{"dirty-threads"}, Type: Int, Default: 1, Unused: true,
		Instead: noDirty,
	},
	{
		Name: "dirty_timeout", Flags: []string{"dirty-timeout"}, Type: Int, Default: 300, Unused: true,
		Instead: noDirty,
	},
	{
		Name: "dirty_worker_exit", Type: Hook, Unused: true,
		Instead: noDirty,
	},
	{
		Name: "dirty_worker_init", Type: Hook, Unused: true,
		Instead: noDirty,
	},
	{
		Name: "dirty_workers", Flags: []string{"dirty-workers"}, Type: Int, Default: 0,
		Instead: useQueue,
	},
	{
		Name: "http2_cleartext", Flags: []string{"http2-cleartext"}, Type: String, Default: "off",
		Instead: speakHTTP1,
	},
	{
		Name: "http_parser", Flags: []string{"http-parser"},
		Type: String, Default: "auto", Choices: []string{"auto", "fast", "python"}, Unused: true,
		Instead: "there is one parser; it is fast and strict",
	},
	{
		Name: "on_dirty_starting", Type: Hook, Unused: true,
		Instead: noDirty,
	},
	{
		Name: "root_path", Flags: []string{"root-path"}, Type: String, Default: "", Unused: true,
		Instead: aboutASGI + "; where one is mounted is said by script_name",
	},
	{
		Name: "spew", Flags: []string{"spew"}, Type: Bool, Default: false,
		Instead: "it would print every line that runs; `py-spy dump --pid PID` shows what a worker does",
	},
	{
		Name: "ssl_context", Type: Hook, Unused: true,
		Instead: "see certfile, keyfile, ca_certs, cert_reqs and ciphers",
	},
	{
		Name: "websocket_max_message_size", Flags: []string{"websocket-max-message-size"},
		Type: Int, Default: 16777216, Unused: true,
		Instead: aboutASGI,
	},
	{
		Name: "worker_tmp_dir", Flags: []string{"worker-tmp-dir"}, Type: String, Default: "", Unused: true,
		Instead: "workers give their signs of life in shared memory, not in a file",
	},
}
