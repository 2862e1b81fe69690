"""Prints, warns, logs; and has a logging configuration and a logger class as gunicorn's users write them."""
import datetime
import logging
import sys
import warnings

# What is often advised for Flask: the application's messages go where gunicorn's go.
SERVER = logging.getLogger("gunicorn.error")
OWN = logging.getLogger("own")
OWN.handlers = SERVER.handlers
OWN.setLevel(SERVER.level)
TEXT = [("Content-Type", "text/plain"), ("X-Answer", "42")]


class Tagged(logging.Formatter):
    """What a user's configuration names: shows the name of the logger and atoms of the record."""

    def format(self, record):
        target = record.args["r"] if isinstance(record.args, dict) else ""
        return "%s|%s|%s|%s" % (record.name, record.levelname, record.getMessage(), target)


def application(environ, start_response):
    if environ["PATH_INFO"] == "/print":
        print("printed caf\u00e9")
        sys.stderr.write("half a ")
        sys.stderr.write("line\n")
        warnings.warn("a warning of the application")
    if environ["PATH_INFO"] == "/log":
        OWN.debug("unseen")
        OWN.info("an own %s", "message")
        SERVER.warning("one more\u2026")
        try:
            {}["key"]
        except KeyError:
            OWN.exception("it %s", "failed")
    if environ["PATH_INFO"] == "/raise":
        raise ValueError("100% wrong")
    start_response("200 OK", TEXT)
    return [b"done"]


try:
    from _pyhost_logs import Logger as Base
except ImportError:  # gunicorn itself
    from gunicorn.glogging import Logger as Base


def say(text):
    print(text, file=sys.stderr, flush=True)  # before Python 3.9 standard error is buffered unless it is a terminal


class Custom(Base):
    """A logger_class."""

    def access(self, resp, req, environ, request_time):
        assert isinstance(request_time, datetime.timedelta)
        say("custom %s %s %s %s %s" % (resp.status, resp.sent, req.method, req.path, dict(req.headers)["HOST"]))

    def error(self, msg, *args, **kwargs):
        say("custom error: " + msg.split("\n")[0])


class Atomic(Base):
    """A logger_class with an atom of its own."""

    def atoms(self, resp, req, environ, request_time):
        found = super().atoms(resp, req, environ, request_time)
        found["mine"] = "of " + environ["PATH_INFO"]
        return found
