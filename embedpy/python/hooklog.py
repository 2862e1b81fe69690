"""server.log and worker.log: gunicorn's Logger as hooks and config files use it, on pyhost's error log."""

import sys
import traceback

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_BY_NUMBER = {number: name for name, number in LEVELS.items()}


def name_of(number):
    """The name of the level that a number of Python's logging belongs to."""
    return _BY_NUMBER.get(number // 10 * 10, "critical" if number > 50 else "debug")


class Log:
    """Writes to the error log through write(level, text).  The methods are those of Python's logging.Logger."""

    def __init__(self, level, write):
        self.loglevel = LEVELS.get(level, 20)
        self._write = write

    def debug(self, message, *args, **options):
        """Log at level debug."""
        self._log("debug", message, args, **options)

    def info(self, message, *args, **options):
        """Log at level info."""
        self._log("info", message, args, **options)

    def warning(self, message, *args, **options):
        """Log at level warning."""
        self._log("warning", message, args, **options)

    warn = warning

    def error(self, message, *args, **options):
        """Log at level error."""
        self._log("error", message, args, **options)

    def critical(self, message, *args, **options):
        """Log at level critical."""
        self._log("critical", message, args, **options)

    def exception(self, message, *args, **options):
        """Log at level error, with the traceback of the exception that is being handled."""
        self._log("error", message, args, **dict(options, exc_info=True))

    def log(self, level, message, *args, **options):
        """Log at a level of Python's logging, a number or a name."""
        if isinstance(level, str):
            level = LEVELS.get(level.lower(), 20)
        self._log(name_of(level), message, args, **options)

    @property
    def error_log(self):
        """The logger gunicorn.error, which writes to the same log."""
        import logging
        return logging.getLogger("gunicorn.error")

    @property
    def access_log(self):
        """The logger gunicorn.access.  Requests pass it only where a setting asks for Python's logging."""
        import logging
        return logging.getLogger("gunicorn.access")

    def isEnabledFor(self, level):  # noqa: N802, logging's spelling
        """Whether lines of this numeric level are written."""
        return level >= self.loglevel

    def _log(self, level, message, args, exc_info=None, stack_info=False, extra=None, stacklevel=1):
        if LEVELS[level] < self.loglevel:
            return
        try:
            text = str(message) % (args[0] if len(args) == 1 and isinstance(args[0], dict) else args) if args \
                else str(message)
        except Exception as error:
            text = "%s %r (cannot be formatted: %s)" % (message, args, error)
        if stack_info:
            text += "\nStack (most recent call last):\n" + "".join(traceback.format_stack()[:-2]).rstrip("\n")
        if exc_info:
            if isinstance(exc_info, BaseException):
                exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
            elif not isinstance(exc_info, tuple):
                exc_info = sys.exc_info()
            if exc_info[0] is not None:
                text += "\n" + "".join(traceback.format_exception(*exc_info)).rstrip("\n")
        self._write(level, text)
