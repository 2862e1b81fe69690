package config

import (
	"slices"
	"strings"
)

// absent are gunicorn's settings that do not exist here, with their options, so that whoever brings a command line
// along hears that instead of a guess (--reload is not a slip for --preload).
var absent = strings.Fields(`
	asgi_disconnect_grace_period --asgi-disconnect-grace-period asgi_lifespan --asgi-lifespan asgi_loop --asgi-loop
	capture_output --capture-output casefold_http_method --casefold-http-method
	check_config --check-config child_exit
	control_socket --control-socket control_socket_disable --no-control-socket
	control_socket_mode --control-socket-mode daemon --daemon -D default_proc_name
	dirty_apps --dirty-app dirty_graceful_timeout --dirty-graceful-timeout dirty_post_fork
	dirty_threads --dirty-threads dirty_timeout --dirty-timeout dirty_worker_exit dirty_worker_init
	dirty_workers --dirty-workers disable_redirect_access_to_syslog --disable-redirect-access-to-syslog
	dogstatsd_tags --dogstatsd-tags
	enable_backlog_metric --enable-backlog-metric enable_stdio_inheritance --enable-stdio-inheritance -R
	forwarder_headers --forwarder-headers group --group -g header_map --header-map
	http2_cleartext --http2-cleartext http2_initial_window_size --http2-initial-window-size
	http2_max_concurrent_streams --http2-max-concurrent-streams http2_max_frame_size --http2-max-frame-size
	http2_max_header_list_size --http2-max-header-list-size http_parser --http-parser http_protocols --http-protocols
	initgroups --initgroups logconfig --log-config logconfig_dict logconfig_json --log-config-json
	logger_class --logger-class max_requests --max-requests max_requests_jitter --max-requests-jitter
	nworkers_changed on_dirty_starting on_exit on_reload on_starting paste --paste --paster
	permit_obsolete_folding --permit-obsolete-folding
	permit_unconventional_http_method --permit-unconventional-http-method
	permit_unconventional_http_version --permit-unconventional-http-version
	post_fork post_request post_worker_init pre_exec pre_fork pre_request print_config --print-config

	raw_paste_global_conf --paste-global reload --reload reload_engine --reload-engine
	reload_extra_files --reload-extra-file root_path --root-path sendfile --no-sendfile spew --spew ssl_context
	statsd_host --statsd-host statsd_prefix --statsd-prefix
	strip_header_spaces --strip-header-spaces syslog --log-syslog
	syslog_addr --log-syslog-to syslog_facility --log-syslog-facility syslog_prefix --log-syslog-prefix
	tmp_upload_dir user --user -u
	websocket_max_message_size --websocket-max-message-size when_ready worker_abort worker_exit worker_int
	worker_tmp_dir --worker-tmp-dir
`)

// isAbsent says whether name, a setting or an option with its dashes, is gunicorn's and not here.
func isAbsent(name string) bool { return slices.Contains(absent, name) }
