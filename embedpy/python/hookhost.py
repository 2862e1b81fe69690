"""The hooks of the master, which run in the forkserver: the master itself never runs Python."""

import os
import threading

import _pyhost_configfile as configfile
import _pyhost_hooklog as hooklog
import _pyhost_hooks as hooks
import _pyhost_server as objects


class HookHost:
    """The Python half of the master: its server object, and the hooks that are called on its command.

    send(event) tells the master something.
    """

    def __init__(self, config, master_pid, send):
        self._send = send
        self._lock = threading.Lock()  # a hook may start threads that log
        log = hooklog.Log(config.get("loglevel"), self._log)
        self.server = objects.Server(config, configfile.values, master_pid, log)
        hooks.load(config, configfile.values)

    def _log(self, level, text):
        with self._lock:
            self._send({"event": "log", "level": level, "error": text[:60_000]})

    def run(self, order):
        """Carry out one wire.HookCall and acknowledge it."""
        name, server = order["name"], self.server
        if order.get("addresses"):
            server.listen(order["addresses"])
        if "workers" in order:
            server.num_workers = order["workers"]
        args = (server,)
        if name == "nworkers_changed":
            args = (server, order["workers"], order.get("old"))
        elif name == "child_exit":
            worker = server.worker(order["pid"], order.get("age", 0))
            server.WORKERS.pop(worker.pid, None)
            args = (server, worker)
        error = hooks.call(name, server.log, *args)
        answer = {"event": "hooked", "id": order["id"]}
        if error is not None:
            code = error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else 1
            answer.update(code=code, error="%s: %s" % (type(error).__name__, error))
        self._send(answer)

    def before_fork(self, age, addresses):
        """Make the worker object and run pre_fork.  An exception is in the log; the worker is forked all the same.

        addresses are those of its listeners.
        """
        if len(addresses) != len(self.server.LISTENERS):
            self.server.listen(addresses)
        self.server.worker_age = age
        worker = objects.Worker(self.server, age)
        hooks.call("pre_fork", self.server.log, self.server, worker)
        return worker

    def after_fork(self, worker, pid):
        """In the forkserver: the worker exists."""
        worker.pid = pid
        self.server.WORKERS[pid] = worker

    def become_worker(self, worker, channel, load):
        """In the worker: what server and worker log goes to its own log from now on; load() imports the application."""
        self.server.app.load = load
        self.server.log = worker.log = hooklog.Log(self.server.cfg.loglevel, channel.log)
        worker.become(lambda: channel.send({"note": "leave"}))
        self.server.WORKERS.pop(os.getpid(), None)
