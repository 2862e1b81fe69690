"""Tracing: its connection and threads belong to the worker, so they are made after the fork."""

import threading
import time

bind = "127.0.0.1:8000"
workers = 2
worker_class = "gthread"
threads = 4


class Tracer(threading.Thread):
    """Sends in the background what was measured."""

    def __init__(self, service, log):
        super().__init__(name="tracer", daemon=True)
        self.service, self.log = service, log
        self.wanted = threading.Event()

    def run(self):
        while self.wanted.wait():
            self.wanted.clear()
            self.log.info("tracer of %s sent", self.service)


tracer = None


def post_fork(server, worker):
    global tracer
    server.log.info("Worker spawned (pid: %s)", worker.pid)
    tracer = Tracer("checkout-%d" % worker.age, worker.log)
    tracer.start()


def pre_request(worker, req):
    req.start_time = time.monotonic()
    worker.log.debug("%s %s", req.method, req.path)


def post_request(worker, req, environ, resp):
    elapsed = time.monotonic() - req.start_time
    worker.log.info("traced %s %s %s in %s", req.method, req.path, resp.status, "time" if elapsed < 60 else "no time")
    tracer.wanted.set()


def worker_exit(server, worker):
    server.log.info("flushed the tracer of %s", worker.pid)
