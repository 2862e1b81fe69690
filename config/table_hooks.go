package config

// hookSettings are functions that a Python file may define. They never reach Config: whoever runs the file keeps them.
var hookSettings = []*Setting{
	hook("on_starting", "server", "the master starts, before it listens"),
	hook("on_reload", "server", "a reload has read its configuration, before its workers start"),
	hook("when_ready", "server", "the master listens, before the first worker is forked"),
	hook("pre_fork", "server, worker", "a worker is about to be forked"),
	hook("post_fork", "server, worker", "a new worker begins, before it gives up privileges and loads the application"),
	hook("post_worker_init", "worker", "a worker has loaded the application"),
	hook("worker_int", "worker", "a worker is told by SIGINT or SIGQUIT to stop at once"),
	hook("worker_abort", "worker", "a worker is aborted because of its timeout"),
	hook("pre_exec", "server", "the new master of an upgrade is about to start (SIGUSR2)"),
	hook("pre_request", "worker, req", "a request is about to be handed to the application"),
	hook("post_request", "worker, req, environ, resp", "a response has been sent"),
	hook("child_exit", "server, worker", "the master has noticed the end of a worker"),
	hook("worker_exit", "server, worker", "a worker is about to end"),
	hook("nworkers_changed", "server, new_value, old_value", "the number of workers is set"),
	hook("on_exit", "server", "the master is about to end"),
}

func hook(name, arguments, when string) *Setting {
	return &Setting{
		Name: name, Metavar: "(" + arguments + ")", Section: "Server Hooks", Type: Hook,
		Doc: "Called when: " + when + ".",
	}
}
