"""capture_output: what the application prints becomes messages of the error log, with the worker's pid."""

import io
import json
import os
import sys
import threading
import time

import _pyhost_worker as worker


class Captured(io.TextIOBase):
    """sys.stdout or sys.stderr: each line that is written to it is a message of the error log."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, original, fd, level, form):
        super().__init__()
        self._original = original
        self._fd = fd
        self._level = level
        self._json = form == "json"
        self._rest = threading.local()  # each thread has lines of its own

    @property
    def buffer(self):
        """The stream of bytes below, which is not captured but redirected."""
        return self._original.buffer

    def fileno(self):
        """The descriptor of the original stream."""
        return self._original.fileno()

    def writable(self):
        """Always true."""
        return True

    def write(self, text):
        """Log the lines that are complete, and keep the rest."""
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not " + type(text).__name__)
        lines = (getattr(self._rest, "text", "") + text).split("\n")
        self._rest.text = lines.pop()
        if lines:
            self._log("\n".join(lines))
        return len(text)

    def flush(self):
        """Do nothing: a line is logged when it ends."""

    def close(self):
        """Log what is left; nobody can close the stream for the others."""
        rest = getattr(self._rest, "text", "")
        if rest:
            self._rest.text = ""
            self._log(rest)

    def _log(self, text):
        if self._json:
            line = as_json(self._level, text)
        else:
            stamp = time.strftime("[%Y-%m-%d %H:%M:%S %z]")
            line = "%s [%d] [%s] %s" % (stamp, os.getpid(), self._level.upper(), text)
        try:
            os.write(self._fd, (line + "\n").encode("utf-8", "backslashreplace"))
        except OSError:
            pass  # a full disk, or a pipe that nobody reads: the line is lost


def as_json(level, text, **more):
    """A message of this moment as --log-format json has it, without the end of the line."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(now)) + ".%06d" % (now % 1 * 1e6)
    zone = time.strftime("%z", time.localtime(now))
    return json.dumps({"level": level, "time": stamp + zone[:3] + ":" + zone[3:], "pid": os.getpid(),
                       "worker": worker.number, "message": text, **more})


def start(fd, form):
    """Capture the standard streams of this process.  What is written below Python goes to the same file."""
    sys.stdout = Captured(sys.stdout, fd, "info", form)
    sys.stderr = Captured(sys.stderr, fd, "warning", form)
