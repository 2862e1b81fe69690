"""Python's logging as gunicorn configures it: logconfig, logconfig_dict, logconfig_json and logger_class.

The server's messages and requests come as JSON packets over a socket pair.  A thread of the worker gives them to the
loggers ``gunicorn.error`` and ``gunicorn.access``, so that no request waits for a handler.
"""

import atexit
import base64
import copy
import datetime
import importlib
import json
import logging
import os
import socket
import sys
import threading
import time
import traceback

from _pyhost_errorlog import DATE_FORMAT, FORMAT as ERROR_FORMAT

DEFAULT_CLASS = "gunicorn.glogging.Logger"
BUFFER = 1 << 20
FINISH = 2.0  # seconds for what waits at the end

# What a dictConfig or JSON file of gunicorn's users starts from.
DEFAULTS = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"level": "INFO", "handlers": ["console"]},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": ["error_console"], "propagate": True},
        "gunicorn.access": {"level": "INFO", "handlers": ["console"], "propagate": True},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "generic", "stream": "ext://sys.stdout"},
        "error_console": {"class": "logging.StreamHandler", "formatter": "generic", "stream": "ext://sys.stderr"},
    },
    "formatters": {
        "generic": {"format": ERROR_FORMAT, "datefmt": DATE_FORMAT, "class": "logging.Formatter"},
    },
}

overrides = {}  # logconfig_dict with the objects that a Python config file has in it
logger = None   # the one in use
_receiver = None


class Settings:
    """gunicorn's cfg, as far as a logger asks it: the settings as attributes."""

    def __init__(self, config):
        self.settings = config
        for name, value in config.items():
            setattr(self, name, value)
        self.accesslog = config.get("accesslog") or None
        self.syslog = False  # the server itself speaks to syslog and statsd
        self.statsd_host = None
        self.user, self.group = os.geteuid(), os.getegid()


class Atoms(dict):
    """The values of an access log line: names in lower case where they are in braces, a dash for what is missing."""

    def __init__(self, atoms):
        super().__init__()
        for key, value in atoms.items():
            self[key] = value.replace('"', '\\"') if isinstance(value, str) else value

    def __getitem__(self, key):
        if key.startswith("{"):
            key = key.lower()
        return super().get(key, "-")


class Logger:
    """gunicorn.glogging.Logger's interface: what a subclass may override has its name and arguments."""

    LOG_LEVELS = {"critical": 50, "error": 40, "warning": 30, "info": 20, "debug": 10}
    atoms_wrapper_class = Atoms
    error_fmt, datefmt, access_fmt = ERROR_FORMAT, DATE_FORMAT, "%(message)s"
    loglevel = logging.INFO

    def __init__(self, cfg):
        self.cfg = cfg
        self.error_log = logging.getLogger("gunicorn.error")
        self.access_log = logging.getLogger("gunicorn.access")
        self.error_log.propagate = self.access_log.propagate = False
        self.setup(cfg)

    def setup(self, cfg):
        """Configure the loggers: the files of the settings first, then what a logging configuration says instead."""
        self.cfg = cfg
        self.loglevel = self.LOG_LEVELS.get(cfg.loglevel, logging.INFO)
        self.error_log.setLevel(self.loglevel)
        self.access_log.setLevel(logging.INFO)
        self._set_handler(self.error_log, cfg.errorlog, logging.Formatter(self.error_fmt, self.datefmt))
        if cfg.accesslog:
            self._set_handler(self.access_log, cfg.accesslog, logging.Formatter(self.access_fmt), sys.stdout)
        configure(cfg)

    def _set_handler(self, log, output, fmt, stream=None):
        """Have log write to output, a path or "-" for stream, standard error by default.  Subclasses call it."""
        handler = logging.StreamHandler(stream) if output == "-" else logging.FileHandler(output)
        handler.setFormatter(fmt)
        handler._gunicorn = True
        log.handlers[:] = [handler]

    @staticmethod
    def _get_gunicorn_handler(log):
        """The handler that _set_handler gave to log, or None.  Subclasses call it."""
        return next((handler for handler in log.handlers if getattr(handler, "_gunicorn", False)), None)

    def critical(self, msg, *args, **kwargs):
        """Log to gunicorn.error."""
        self.error_log.critical(msg, *args, **kwargs)

    def error(self, msg, *args, **kwargs):
        """As critical, at its level."""
        self.error_log.error(msg, *args, **kwargs)

    def warning(self, msg, *args, **kwargs):
        """As critical, at its level."""
        self.error_log.warning(msg, *args, **kwargs)

    def info(self, msg, *args, **kwargs):
        """As critical, at its level."""
        self.error_log.info(msg, *args, **kwargs)

    def debug(self, msg, *args, **kwargs):
        """As critical, at its level."""
        self.error_log.debug(msg, *args, **kwargs)

    def exception(self, msg, *args, **kwargs):
        """As error, with the traceback of the exception that is being handled."""
        self.error_log.exception(msg, *args, **kwargs)

    def log(self, lvl, msg, *args, **kwargs):
        """Log at a level given by number or name."""
        self.error_log.log(self.LOG_LEVELS.get(lvl.lower(), 20) if isinstance(lvl, str) else lvl, msg, *args, **kwargs)

    def atoms(self, resp, req, environ, request_time):
        """The values that access_log_format names."""
        seconds, micros = int(request_time.total_seconds()), request_time.microseconds
        atoms = {
            "h": environ.get("REMOTE_ADDR") or "-", "l": "-", "u": self._get_user(environ) or "-", "t": self.now(),
            "r": "%s %s %s" % (environ["REQUEST_METHOD"], environ["RAW_URI"], environ["SERVER_PROTOCOL"]),
            "s": resp.status.split(None, 1)[0], "m": environ["REQUEST_METHOD"], "U": environ["PATH_INFO"],
            "q": environ["QUERY_STRING"], "H": environ["SERVER_PROTOCOL"], "b": str(resp.sent), "B": resp.sent,
            "f": environ.get("HTTP_REFERER", "-"), "a": environ.get("HTTP_USER_AGENT", "-"),
            "T": seconds, "D": seconds * 1000000 + micros, "M": seconds * 1000 + micros // 1000,
            "L": "%d.%06d" % (seconds, micros), "p": "<%s>" % os.getpid(),
        }
        atoms.update(("{%s}i" % name.lower(), value) for name, value in req.headers)
        atoms.update(("{%s}o" % name.lower(), value) for name, value in resp.headers)
        atoms.update(("{%s}e" % name.lower(), value) for name, value in environ.items())
        atoms.update(("{%s}v" % name.lower(), value) for name, value in getattr(req, "variables", {}).items())
        return atoms

    def access(self, resp, req, environ, request_time):
        """Log one request to gunicorn.access."""
        self.access_log.info(self.cfg.access_log_format,
                             self.atoms_wrapper_class(self.atoms(resp, req, environ, request_time)))

    def now(self):
        """The time in the Common Log Format."""
        return time.strftime("[%d/%b/%Y:%H:%M:%S %z]")

    def reopen_files(self):
        """Open the files of all handlers again (SIGUSR1)."""
        logs = [logging.root] + [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
        for handler in {handler for log in logs for handler in log.handlers}:
            if isinstance(handler, logging.FileHandler):
                with handler.lock:
                    if handler.stream:
                        handler.stream.close()
                        handler.stream = handler._open()

    def _get_user(self, environ):
        scheme, _, credentials = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            return base64.b64decode(credentials.strip()).split(b":", 1)[0].decode()
        except ValueError:
            return None


class Request:
    """The request as access() knows it."""

    def __init__(self, told, environ):
        self.headers = told["headers"]
        self.method, self.uri = environ["REQUEST_METHOD"], environ["RAW_URI"]
        self.variables = told.get("variables") or {}  # of pyhost.log_var
        self.path, self.query = environ["PATH_INFO"], environ["QUERY_STRING"]


class Response:
    """The response as access() knows it."""

    def __init__(self, told):
        self.status = told["status"]
        self.status_code = int(self.status.split(None, 1)[0])
        self.headers = told["sent_headers"]
        self.sent = told["sent"]


def configure(cfg):
    """Apply logconfig_dict, logconfig_json or logconfig; the first that is set, as in gunicorn."""
    import logging.config
    table = overrides.get("logconfig_dict") or getattr(cfg, "logconfig_dict", None)
    if not table and getattr(cfg, "logconfig_json", ""):
        with open(cfg.logconfig_json) as file:
            table = json.load(file)
    if table:
        whole = copy.deepcopy(DEFAULTS)
        whole.update(table)
        for part in ("handlers", "formatters"):  # the defaults of root and others may name one that is not replaced
            whole[part] = dict(DEFAULTS[part], **whole[part])
        logging.config.dictConfig(whole)
    elif getattr(cfg, "logconfig", ""):
        path = cfg.logconfig
        if not os.path.exists(path):
            raise OSError("log config %r not found" % path)
        defaults = {"__file__": path, "here": os.path.dirname(path)}
        logging.config.fileConfig(path, defaults=defaults, disable_existing_loggers=False)


def setup(config, values):
    """Make the logger that the settings ask for; raises whatever is wrong with them.

    values are the objects of a Python config file by name: what JSON cannot say of logconfig_dict and logger_class.
    """
    global logger
    if values.get("logconfig_dict"):
        overrides["logconfig_dict"] = values["logconfig_dict"]
    found = config.get("logger_class") or ""
    given = values.get("logger_class")
    if isinstance(given, type) and found == "%s.%s" % (given.__module__, given.__qualname__):
        found = given
    if found in ("", DEFAULT_CLASS):
        found = Logger
    elif isinstance(found, str):
        module, _, name = found.replace(":", ".").rpartition(".")
        found = getattr(importlib.import_module(module), name)
    logger = found(Settings(config))


def write(line, pid):
    """Log a message of the master, whose pid this is.  A logger that raises ends nothing."""
    def sign(record):
        record.process = pid
        return True

    log = logging.getLogger("gunicorn.error")
    try:
        if line["level"] == "reopen":
            logger.reopen_files()
            return
        log.addFilter(sign)
        try:
            getattr(logger, line["level"])(line["text"])
        finally:
            log.removeFilter(sign)
    except BaseException:
        _complain()


def open_pair():
    """In a new worker: the descriptor that the server writes to."""
    global _receiver
    _receiver, sender = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    return sender.detach()


def start():
    """Log what comes, from a thread of its own, and what is left at the end."""
    thread = threading.Thread(target=_serve, name="pyhost-log", daemon=True)
    thread.start()
    atexit.register(_finish, thread)


def _serve():
    while True:
        try:
            packet = _receiver.recv(BUFFER)
        except OSError:
            return
        if not packet:
            return
        handle(packet)


def _finish(thread):
    """Let the thread log what waits, and end; from now on the server writes its messages itself.

    A daemon thread that is inside a write of sys.stderr when the interpreter ends makes CPython abort (3.13:
    _enter_buffered_busy).  One that a handler holds up is given up after a moment.
    """
    try:
        _receiver.shutdown(socket.SHUT_RD)
    except OSError:
        pass
    thread.join(FINISH)
    if not thread.is_alive():  # gevent ends what waits for a socket, a thread that is a greenlet, before all is read
        _serve()
    logging.shutdown()


def handle(packet):
    """Log one packet.  A logger that raises ends nothing."""
    try:
        told = json.loads(packet)
        if "reopen" in told:
            logger.reopen_files()
        elif "level" in told:
            getattr(logger, told["level"])(told["text"].replace("%", "%%") % ())
        else:
            environ = told["environ"]
            for name, value in told["headers"]:
                environ.setdefault("HTTP_" + name.upper().replace("-", "_"), value)
            logger.access(Response(told), Request(told, environ), environ,
                          datetime.timedelta(microseconds=told["microseconds"]))
    except BaseException:
        _complain()


def _complain():
    try:
        sys.__stderr__.write("The logger of logger_class or logconfig failed:\n" + traceback.format_exc())
        sys.__stderr__.flush()
    except Exception:
        pass
