"""Every server hook: it writes what it was given to the log, in a form that the tests read."""

import os
import sys


def _say(log, name, *facts):
    log.info("HOOK %s %s", name, " ".join(str(fact) for fact in facts))
    if os.environ.get("HOOK_RAISES") == name:
        raise RuntimeError("the hook %s is broken" % name)
    if os.environ.get("HOOK_EXITS") == name:
        sys.exit(7)


def on_starting(server):
    """Master: before the sockets."""
    assert (server.log.error_log.name, server.log.access_log.name) == ("gunicorn.error", "gunicorn.access")
    _say(server.log, "on_starting", server.num_workers, server.cfg.workers, server.proc_name)


def on_reload(server):
    """Master: SIGHUP."""
    _say(server.log, "on_reload", server.num_workers)


def when_ready(server):
    """Master: it listens."""
    _say(server.log, "when_ready", *server.LISTENERS)


def pre_fork(server, worker):
    """Master: before each fork."""
    worker.gift = "from pre_fork"
    _say(server.log, "pre_fork", worker.pid, worker.age, worker.alive)


def post_fork(server, worker):
    """Worker: before the application is loaded."""
    assert worker.pid == os.getpid() and worker.ppid == server.pid
    assert "wsgi" not in sys.modules or server.cfg.preload_app
    _say(server.log, "post_fork", worker.pid, worker.age, worker.gift)


def post_worker_init(worker):
    """Worker: the application is loaded."""
    assert "wsgi" in sys.modules and callable(worker.wsgi)
    _say(worker.log, "post_worker_init", worker.pid)


def worker_int(worker):
    """Worker: leaves at once."""
    _say(worker.log, "worker_int", worker.pid)


def worker_abort(worker):
    """Worker: timed out."""
    _say(worker.log, "worker_abort", worker.pid)


def pre_request(worker, req):
    """Worker: before a request."""
    req.mark = worker.nr
    headers = dict(req.headers)
    if req.query == "change":
        req.headers[:] = [pair for pair in req.headers if pair[0] != "X-MARK"]
        req.headers.extend([("X-Added", "by the hook"), ("X-ADDED", "twice")])
    _say(worker.log, "pre_request", req.method, req.path, req.uri, req.query, headers.get("X-MARK"), req.version)


def post_request(worker, req, environ, resp):
    """Worker: after a request."""
    types = [value for name, value in resp.headers if name == "Content-Type"]
    _say(worker.log, "post_request", req.path, req.mark == worker.nr, environ["REQUEST_METHOD"], resp.status,
         resp.status_code, resp.sent, types)


def child_exit(server, worker):
    """Master: a worker has ended."""
    _say(server.log, "child_exit", worker.pid)


def worker_exit(server, worker):
    """Worker: at its end."""
    _say(worker.log, "worker_exit", worker.pid)


def nworkers_changed(server, new_value, old_value):
    """Master: another number of workers."""
    _say(server.log, "nworkers_changed", new_value, old_value)


def on_exit(server):
    """Master: at its end."""
    _say(server.log, "on_exit", server.pid)
