package config

import "cmp"

// Version is the version of pyhost.
const Version = "0.1.0"

// Config is the outcome of Load. Nobody changes it afterwards, so that any number of goroutines may read it.
// Relative paths in it (log files, pid file, unix sockets, pythonpath) are meant relative to Chdir.
type Config struct {
	// App is the application as MODULE[:CALLABLE] or MODULE:FACTORY(ARGUMENTS); never empty.
	App string `json:"wsgi_app"`
	// Paste is the PasteDeploy file that the application is made of, absolute, perhaps with #NAME; "" without one. App
	// names it then, as paste:FILE.
	Paste string `json:"paste"`
	// PasteGlobal are NAME=VALUE for the file's global configuration.
	PasteGlobal []string `json:"raw_paste_global_conf"`
	// Python is an interpreter or the directory of a virtual environment: an absolute path, or a bare name to be
	// looked up on $PATH. "" means the active environment.
	Python string `json:"python"`

	// Bind are the addresses to listen on, each accepted by ParseBind; never empty.
	Bind []string `json:"bind"`
	// Backlog is the queue length given to listen(2).
	Backlog int `json:"backlog"`
	// ReusePort opens the TCP sockets with SO_REUSEPORT, one for each worker.
	ReusePort bool `json:"reuse_port"`

	// Workers is the number of worker processes; 0 starts none.
	Workers int `json:"workers"`
	// MinWorkers and MaxWorkers bound the number of workers where it follows the load; both are 0 where it does not.
	MinWorkers int `json:"min_workers"`
	MaxWorkers int `json:"max_workers"`
	// WorkerClass is sync or gthread, as resolved: sync with more than one thread has become gthread.
	WorkerClass string `json:"worker_class"`
	// Threads is the number of threads of a worker that run the application; at least 1.
	Threads int `json:"threads"`
	// WorkerConnections is the number of connections that one worker holds at once; at least 1.
	WorkerConnections int `json:"worker_connections"`
	// Timeout is how many seconds a worker may be silent before it is killed; 0 means for ever.
	Timeout int `json:"timeout"`
	// RequestTimeout is how many seconds one request may run; 0 means for ever.
	RequestTimeout int `json:"request_timeout"`
	// QueueLimit is how many requests may wait for a thread of one worker; 0 means any number.
	QueueLimit int `json:"queue_limit"`
	// QueueTimeout is for how many seconds one may; 0 means for ever.
	QueueTimeout int `json:"queue_timeout"`
	// BootTimeout is how many seconds the import of the application may take; 0 means for ever.
	BootTimeout int `json:"boot_timeout"`
	// GracefulTimeout is how many seconds a worker may go on finishing requests once told to stop; 0 means none.
	GracefulTimeout int `json:"graceful_timeout"`
	// Handover gives requests that wait behind a busy worker to one that is free.
	Handover bool `json:"handover"`
	// MaxRequests is after how many requests a worker is replaced; 0 means never.
	MaxRequests int `json:"max_requests"`
	// MaxRequestsJitter is the largest random number that each worker adds to MaxRequests.
	MaxRequestsJitter int `json:"max_requests_jitter"`
	// MaxWorkerLifetime is after how many seconds a worker is replaced; 0 means never.
	MaxWorkerLifetime int `json:"max_worker_lifetime"`
	// MaxWorkerLifetimeJitter is the largest random number of seconds that each worker adds to MaxWorkerLifetime.
	MaxWorkerLifetimeJitter int `json:"max_worker_lifetime_jitter"`
	// MaxWorkerMemory is how many MiB of memory a worker may have resident before it is replaced; 0 means any.
	MaxWorkerMemory int `json:"max_worker_memory"`
	// ReloadOnException replaces a worker after a request in which the application raised an exception.
	ReloadOnException bool `json:"reload_on_exception"`
	// WarmupURL are the paths and URLs that a worker answers before it serves.
	WarmupURL []string `json:"warmup_url"`
	// ReloadStrategy is ReloadAll or ReloadRolling.
	ReloadStrategy string `json:"reload_strategy"`
	// DrainDelay is for how many seconds after SIGTERM connections are still accepted; 0 means none.
	DrainDelay int `json:"drain_delay"`
	// KeepAlive is how many seconds an idle connection stays open; 0 closes it after each response.
	KeepAlive int `json:"keepalive"`

	// LimitRequestLine is the longest request line in bytes, without CRLF; 0 means no limit of its own.
	LimitRequestLine int `json:"limit_request_line"`
	// LimitRequestFields is the largest number of header lines; 0 or more than 32768 means 32768.
	LimitRequestFields int `json:"limit_request_fields"`
	// LimitRequestFieldSize is the longest header line in bytes, with CRLF; 0 means no limit of its own.
	LimitRequestFieldSize int `json:"limit_request_field_size"`
	// LimitRequestBody is the largest request body in bytes; 0 means any.
	LimitRequestBody int `json:"limit_request_body"`

	// HeaderTimeout is how many seconds a request head may take, and a new connection be silent; 0 means for ever.
	HeaderTimeout int `json:"header_timeout"`
	// BodyTimeout is how many seconds a client may pause in a request body; 0 means for ever.
	BodyTimeout int `json:"body_timeout"`
	// BodyMinRate is how many bytes of a body per second a client has to send after BodyTimeout; 0 means any.
	BodyMinRate int `json:"body_min_rate"`
	// WriteTimeout is how many seconds a client may take nothing of a response; 0 means for ever.
	WriteTimeout int `json:"write_timeout"`

	// PreloadApp imports the application before the workers are forked.
	PreloadApp bool `json:"preload_app"`
	// ShareImports says what is imported before the workers are forked where the application is not: module names,
	// "stdlib" (what most applications use of the standard library), "auto" (that, and Django or Flask where the
	// application imports it before anything else), "none". Nothing is the same as "none".
	ShareImports []string `json:"share_imports"`
	// Chdir is the directory to work in, absolute; it existed when Load looked.
	Chdir string `json:"chdir"`
	// PythonPath is a comma-separated list of directories for sys.path; "" means none.
	PythonPath string `json:"pythonpath"`
	// RawEnv are NAME=VALUE entries for the application's environment.
	RawEnv []string `json:"raw_env"`
	// Pidfile is the file that holds the master's process id; "" means none.
	Pidfile string `json:"pidfile"`
	// Umask is the file mode mask for unix sockets, 0 to 0777. 0, the default, masks nothing: it is not "unset".
	Umask int `json:"umask"`
	// ProcName is the name in process titles; "" means App. See Name.
	ProcName string `json:"proc_name"`

	// AccessLog is a file, or "-" for standard output; "" means no access log.
	AccessLog string `json:"accesslog"`
	// AccessLogFormat is the format of an access log line.
	AccessLogFormat string `json:"access_log_format"`
	// ErrorLog is a file, or "-" for standard error; never empty.
	ErrorLog string `json:"errorlog"`
	// LogLevel is debug, info, warning, error or critical.
	LogLevel string `json:"loglevel"`
	// LogFormat is the form of the error log, text or json.
	LogFormat string `json:"log_format"`
	// CaptureOutput sends what the application prints to the file of the error log.
	CaptureOutput bool `json:"capture_output"`
	// LogConfig and LogConfigJSON are files for Python's logging, LogConfigDict the same as a table; LoggerClass is the
	// class that logs, by its dotted name. If one of them is set the logs are written by Python.
	LogConfig     string         `json:"logconfig"`
	LogConfigDict map[string]any `json:"logconfig_dict"`
	LogConfigJSON string         `json:"logconfig_json"`
	LoggerClass   string         `json:"logger_class"`
	// Syslog sends both logs to SyslogAddr, which ParseSyslog accepts, as SyslogFacility, one of SyslogFacilities.
	Syslog         bool   `json:"syslog"`
	SyslogAddr     string `json:"syslog_addr"`
	SyslogPrefix   string `json:"syslog_prefix"`
	SyslogFacility string `json:"syslog_facility"`
	// DisableRedirectAccessToSyslog keeps the access log out of syslog.
	DisableRedirectAccessToSyslog bool `json:"disable_redirect_access_to_syslog"`
	// StatsdHost is accepted by ParseStatsd; "" means no statsd.
	StatsdHost    string `json:"statsd_host"`
	StatsdPrefix  string `json:"statsd_prefix"`
	DogstatsdTags string `json:"dogstatsd_tags"`
	// EnableBacklogMetric tells statsd each second how many connections wait to be accepted.
	EnableBacklogMetric bool `json:"enable_backlog_metric"`

	// ForwardedAllowIPs are the addresses, networks in CIDR form or "*" from which forwarding headers are believed;
	// empty means none.
	ForwardedAllowIPs []string `json:"forwarded_allow_ips"`
	// SecureSchemeHeaders maps upper-case header names to the exact value that says the request came over https.
	SecureSchemeHeaders map[string]string `json:"secure_scheme_headers"`
	// RequestBuffering runs the application when the whole request body is there.
	RequestBuffering bool `json:"request_buffering"`
	// SpoolThreshold is the largest request body in bytes that is kept in memory.
	SpoolThreshold int `json:"spool_threshold"`
	// SpoolDir is where larger ones are kept; "" means TmpUploadDir.
	SpoolDir string `json:"spool_dir"`
	// SpoolResponseLimit is how many bytes of a stream are kept in such a file for a client that is slow; 0 = none.
	SpoolResponseLimit int `json:"spool_response_limit"`
	// TmpUploadDir is gunicorn's name for SpoolDir; "" means the system's directory for temporary files.
	TmpUploadDir string `json:"tmp_upload_dir"`
	// Sendfile has the kernel send the files of wsgi.file_wrapper.
	Sendfile bool `json:"sendfile"`

	// PermitObsoleteFolding accepts headers of several lines.
	PermitObsoleteFolding bool `json:"permit_obsolete_folding"`
	// StripHeaderSpaces accepts whitespace before the colon of a header.
	StripHeaderSpaces bool `json:"strip_header_spaces"`
	// PermitUnconventionalMethod accepts any token as a method.
	PermitUnconventionalMethod bool `json:"permit_unconventional_http_method"`
	// PermitUnconventionalVersion accepts any HTTP/d.d.
	PermitUnconventionalVersion bool `json:"permit_unconventional_http_version"`
	// CasefoldMethod turns methods into upper case.
	CasefoldMethod bool `json:"casefold_http_method"`
	// ForwarderHeaders are the headers with "_" that a believed proxy may send; "*" is any, empty means none.
	ForwarderHeaders []string `json:"forwarder_headers"`
	// HeaderMap is what becomes of others: drop, refuse or dangerous.
	HeaderMap string `json:"header_map"`

	// ScriptName is the path that the application is mounted at: "", or with a leading and without a final slash.
	ScriptName string `json:"script_name"`

	// RealIP is the header that tells the client's address, or "off".
	RealIP string `json:"real_ip"`
	// RequestIDHeader is the header that carries the ID of each request, or "off".
	RequestIDHeader string `json:"request_id_header"`
	// Protocol is what is spoken at addresses that do not say it themselves: http or uwsgi. See ProtocolOf.
	Protocol string `json:"protocol"`
	// ProxyProtocol is off, v1, v2 or auto: which PROXY headers are read.
	ProxyProtocol string `json:"proxy_protocol"`
	// ProxyAllowIPs are the peers that may send a PROXY header, in the form of ForwardedAllowIPs.
	ProxyAllowIPs []string `json:"proxy_allow_ips"`
	// UWSGIAllowIPs are the peers that may speak the uwsgi protocol, in the form of ForwardedAllowIPs.
	UWSGIAllowIPs []string `json:"uwsgi_allow_ips"`
	// UWSGIBufferSize is the largest block of variables of a uwsgi packet in bytes, 1 to 65535.
	UWSGIBufferSize int `json:"uwsgi_buffer_size"`

	// HTTPProtocols is h1, h2, "h1,h2" or "h2,h1": what is spoken with TLS, in the order of preference.
	HTTPProtocols string `json:"http_protocols"`
	// HTTP2MaxConcurrentStreams is how many streams a client may have open on a connection.
	HTTP2MaxConcurrentStreams int `json:"http2_max_concurrent_streams"`
	// HTTP2InitialWindowSize is the flow-control window of a new stream in bytes, below 4 MiB.
	HTTP2InitialWindowSize int `json:"http2_initial_window_size"`
	// HTTP2MaxFrameSize is the largest frame in bytes, 16384 to 16777215.
	HTTP2MaxFrameSize int `json:"http2_max_frame_size"`
	// HTTP2MaxHeaderListSize is the largest request head in bytes; 0 = no limit of its own.
	HTTP2MaxHeaderListSize int `json:"http2_max_header_list_size"`
	// Static are PREFIX=DIR, each accepted by ParseStatic, with absolute directories.
	Static []string `json:"static"`
	// StaticMaxAge is how many seconds a static file may be kept without asking; 0 = nothing is said.
	StaticMaxAge int `json:"static_max_age"`
	// SendfileRoot is the directory, absolute, of files that X-Sendfile and X-Accel-Redirect name; "" = they are ordinary
	// headers.
	SendfileRoot string `json:"sendfile_root"`
	// CertFile is the certificate; "" means no TLS. KeyFile is its key; "" means that CertFile has it.
	CertFile string `json:"certfile"`
	KeyFile  string `json:"keyfile"`
	// SNICerts are further certificates, each accepted by ParseSNICert.
	SNICerts []string `json:"sni_certs"`
	// SSLVersion is TLS, TLSv1_2 or TLSv1_3.
	SSLVersion string `json:"ssl_version"`
	// CertReqs: 0 no client certificates, 1 optional, 2 required; verified by CACerts, which is set then.
	CertReqs int    `json:"cert_reqs"`
	CACerts  string `json:"ca_certs"`
	// Ciphers is an OpenSSL cipher list for TLS 1.2; "" leaves the choice to Go.
	Ciphers string `json:"ciphers"`
	// SuppressRaggedEOFs: the end of a connection without close_notify is an ordinary end.
	SuppressRaggedEOFs bool `json:"suppress_ragged_eofs"`
	// DoHandshakeOnConnect has no effect.
	DoHandshakeOnConnect bool `json:"do_handshake_on_connect"`

	// Reload loads the application again when the files of its modules change, or ReloadExtraFiles.
	Reload bool `json:"reload"`
	// ReloadEngine is auto, inotify or poll: how changes are noticed.
	ReloadEngine string `json:"reload_engine"`
	// ReloadExtraFiles are more files to watch for Reload, absolute, or patterns; see IsPattern.
	ReloadExtraFiles []string `json:"reload_extra_files"`
	// CheckConfig imports the application and ends instead of serving.
	CheckConfig bool `json:"check_config"`
	// PrintConfig prints all settings, and means CheckConfig as well.
	PrintConfig bool `json:"print_config"`

	// Daemon detaches the master from the terminal.
	Daemon bool `json:"daemon"`
	// User and Group are names or numbers of whom the workers run as; "" means that of the master. See Owner.
	User  string `json:"user"`
	Group string `json:"group"`
	// InitGroups gives the workers the supplementary groups of User. Without it they have none.
	InitGroups bool `json:"initgroups"`
	// EnableStdioInheritance leaves a daemon the standard output and error that it was started with, unless they are
	// a terminal.
	EnableStdioInheritance bool `json:"enable_stdio_inheritance"`
	// DefaultProcName is the name in process titles if ProcName is ""; "" means App.
	DefaultProcName string `json:"default_proc_name"`

	// File is the configuration file that was read, absolute; "" if there is none, or if it is a Python module.
	File string `json:"-"`
	// RunAs is what User, Group and InitGroups come to; nil if the workers run as whom the master does.
	RunAs *Owner `json:"-"`
	Hooks

	// Source says for each setting, by its name, where its value came from: "the command line", "$WEB_CONCURRENCY",
	// "pyhost.toml, line 3", "the default".
	Source map[string]string `json:"-"`
	// Warnings are sentences for the log about what is accepted but probably not meant.
	Warnings []string `json:"-"`

	spelled map[string]string // the settings as they were written; see given.spelled
}

// Name is the name for process titles: ProcName, else DefaultProcName, else App.
func (c *Config) Name() string { return cmp.Or(c.ProcName, c.DefaultProcName, c.App) }
