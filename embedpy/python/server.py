"""The objects that hooks get for the master and for a worker, with the attributes that gunicorn's have."""

import os
import re

import _pyhost
import _pyhost_hooks as hooks
import _pyhost_loader as loader

UNIX = "unix:"
PROTOCOL = re.compile(r"^(?:https?|uwsgi)(?:://|\+)")  # what is spoken there; after the + comes unix: or fd://


class Settings:
    """server.cfg and worker.cfg: each setting is an attribute.  Lists, numbers and texts are those that count, after
    the command line; what only Python can say, such as a class, is the config file's own object."""

    def __init__(self, config, values):
        self.settings = dict(config)
        self._values = values

    def __getattr__(self, name):
        if name.startswith("__") or name in ("settings", "_values"):
            raise AttributeError(name)
        if name in hooks.ARITY:
            return hooks.functions.get(name, _nothing)
        value = self._values.get(name)
        if name not in self.settings or isinstance(value, dict):
            if name in self._values:
                return value
            if name not in self.settings:
                raise AttributeError("pyhost has no setting %r" % name)
        return self.settings[name]

    @property
    def worker_class_str(self):
        """The worker class as a word."""
        return self.settings["worker_class"]

    @property
    def proc_name(self):
        """The name in process titles."""
        return self.settings.get("proc_name") or self.settings.get("wsgi_app") or ""

    @property
    def address(self):
        """The bind addresses: (host, port), or the path of a unix socket."""
        return [parse_address(text) for text in self.settings["bind"]]

    @property
    def env(self):
        """raw_env as a dict."""
        return dict(pair.split("=", 1) for pair in self.settings.get("raw_env") or ())

    @property
    def is_ssl(self):
        """Whether a certificate is set."""
        return bool(self.settings.get("certfile") or self.settings.get("keyfile"))

    def set(self, name, value):
        """Refuse: hooks run when the settings have been used."""
        raise RuntimeError("the setting %r cannot be changed while the server runs; set it in the config file" % name)


def _nothing(*args):
    """A hook that is not set."""


def parse_address(text):
    """An address of the bind setting, or of a listener, as socket.getsockname() has it."""
    text = PROTOCOL.sub("", text.strip())
    if text.startswith(UNIX):
        path = text[len(UNIX):]
        return path[2:] if path.startswith("//") else path
    if text.startswith("fd://"):
        return int(text[5:])
    text = text[6:] if text.startswith("tcp://") else text
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, "8000"
    return (host.strip("[]") or "0.0.0.0", int(port))


class Listener:
    """A listening socket of the master, by its address only: hooks and log lines read it."""

    def __init__(self, address):
        self.cfg_addr = parse_address(address)
        plain = address.startswith((UNIX, "fd://")) or PROTOCOL.match(address)
        self._text = address if plain else "http://" + address

    def getsockname(self):
        """The address."""
        return self.cfg_addr

    def __str__(self):
        return self._text


class Application:
    """server.app and worker.app, gunicorn's Application: cfg, app_uri, and wsgi(), the WSGI callable."""

    def __init__(self, cfg):
        self.cfg = cfg
        self.app_uri = cfg.settings.get("wsgi_app")
        self.callable = None

    def wsgi(self):
        """The application.  If it has not been imported yet it is now: in a hook of the master for all workers."""
        if self.callable is None:
            self.callable = self.load()
        return self.callable

    def load(self):
        """Import the application; raises LoadFailure."""
        found = loader.load(self.app_uri)
        loader.settle()
        return found


class Server:
    """The master, gunicorn's Arbiter, as its hooks know it.

    pid is the master's.  num_workers is the number of workers that it keeps.  In a worker it is a copy.
    """

    def __init__(self, config, values, master_pid, log):
        self.cfg = Settings(config, values)
        self.app = Application(self.cfg)
        self.log = log
        self.pid = master_pid
        self.master_pid = 0  # another one only after an upgrade in place
        self.master_name = "Master"
        self.reexec_pid = 0
        self.proc_name = self.cfg.proc_name
        self.address = self.cfg.address
        self.timeout = config.get("timeout")
        self.num_workers = None
        self.worker_age = 0
        self.LISTENERS = []
        self.WORKERS = {}

    def listen(self, addresses):
        """Note where the master listens."""
        self.LISTENERS = [Listener(address) for address in addresses]

    def worker(self, pid, age):
        """The worker object of a pid; a new one for a worker of another generation."""
        worker = self.WORKERS.get(pid)
        if worker is None:
            worker = Worker(self, age)
            worker.pid = pid
        return worker


class Worker:
    """A worker, as hooks know it.  Before the fork pid is "[booting]", as in gunicorn."""

    def __init__(self, server, age):
        self.age = age
        self.pid = "[booting]"
        self.ppid = server.pid
        self.app = server.app
        self.cfg = server.cfg
        self.log = server.log
        self.timeout = server.timeout
        self.sockets = server.LISTENERS
        self.booted = False
        self.aborted = False
        self.wsgi = None
        self._alive = True
        self._leave = None

    def become(self, leave):
        """In the new worker process.  leave() asks the worker to finish its requests and go."""
        self.pid = os.getpid()
        self._leave = leave

    @property
    def nr(self):
        """The number of requests so far."""
        return _pyhost.request_count() if self.pid == os.getpid() else 0

    @property
    def alive(self):
        """Setting it to False makes the worker leave after the requests that it has, as in gunicorn."""
        return self._alive

    @alive.setter
    def alive(self, value):
        """Ask the worker to leave."""
        if self._alive and not value and self._leave is not None:
            self._leave()
        self._alive = bool(value)

    def notify(self):
        """Nothing to do: the server shows the master by itself that the worker lives."""

    def __str__(self):
        return "<Worker %s>" % self.pid
