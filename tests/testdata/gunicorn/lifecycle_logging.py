"""Every step of the server's life, written by the logger that it gave, and by one of our own."""

import logging
import sys

bind = ["127.0.0.1:8000"]
workers = 1
capture_output = True

logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="own: %(message)s")
own = logging.getLogger("deploy")


def on_starting(server):
    own.info("starting with %s", server.cfg.worker_class_str)


def on_reload(server):
    server.log.info("reloading %s", server.pid)


def pre_fork(server, worker):
    server.log.info("about to fork worker %d of %d", worker.age, server.num_workers)


def post_fork(server, worker):
    server.log.info("Worker spawned (pid: %s)", worker.pid)


def pre_exec(server):
    server.log.info("Forked child, re-executing.")


def post_worker_init(worker):
    worker.log.info("%s serves %s on %s", worker, worker.wsgi.__name__, ", ".join(str(s) for s in worker.sockets))


def nworkers_changed(server, new_value, old_value):
    server.log.info("%s workers, were %s", new_value, old_value)


def on_exit(server):
    server.log.info("bye from %s", server.pid)
