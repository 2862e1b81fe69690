"""The logger gunicorn.error, where no setting is about Python's logging: its handler writes to the error log.

Applications log to it, or take its handlers and its level for a logger of their own, as is often advised for Flask.
Under gunicorn that works without a setting.  Nothing else of Python's logging is touched, and the server's own messages
do not come this way.
"""

import logging
import sys

import _pyhost_hooklog as hooklog

NAME = "gunicorn.error"
FORMAT = "%(asctime)s [%(process)d] [%(levelname)s] %(message)s"
DATE_FORMAT = "[%Y-%m-%d %H:%M:%S %z]"
TEXT_MAX = 4000  # characters of a message to the master: it has to arrive in one piece, whoever else sends

_handler = None


class Handler(logging.StreamHandler):
    """Writes to the error log as gunicorn's does; in the fork server, which has not opened it, through the master."""

    def __init__(self, tell):
        super().__init__(sys.stderr)
        self.tell = tell  # tell(level, text), None in a worker

    def emit(self, record):
        """Write one record."""
        if self.tell is None:
            super().emit(record)
            return
        try:
            self.tell(hooklog.name_of(record.levelno), _bare.format(record)[:TEXT_MAX])
        except Exception:
            self.handleError(record)


class Object(logging.Formatter):
    """The form of --log-format json."""

    def format(self, record):
        """The line without its end."""
        import _pyhost_capture as capture
        level = record.levelname.lower()
        if not record.exc_info or record.exc_info[0] is None:
            return capture.as_json(level, _bare.format(record))
        kind = record.exc_info[0]
        name = kind.__qualname__ if kind.__module__ == "builtins" else kind.__module__ + "." + kind.__qualname__
        return capture.as_json(level, record.getMessage(), exception=name,
                               traceback=_bare.formatException(record.exc_info))


_bare = logging.Formatter()


def set_up(config, tell):
    """In the fork server, before anything of the application's or of a hook runs."""
    global _handler
    _handler = Handler(tell)
    _handler.setFormatter(Object() if config.get("log_format") == "json" else logging.Formatter(FORMAT, DATE_FORMAT))
    log = logging.getLogger(NAME)
    log.setLevel(hooklog.LEVELS.get(config.get("loglevel"), logging.INFO))
    log.propagate = False
    log.addHandler(_handler)


def become_worker(fd):
    """In a worker: fd is the error log.  Without set_up it does nothing."""
    if _handler is not None:
        import _pyhost_streams as streams
        _handler.tell = None
        _handler.setStream(streams.open_errors(fd))
