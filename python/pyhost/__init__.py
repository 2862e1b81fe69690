"""What an application says to pyhost, where pyhost does not run it: in tests, under other servers, in a script.

Under pyhost a module of this name that comes with the server takes the place of this one.  Here run() starts the
server, and everything else does nothing, so that no application needs a case for it.
"""

import json
import os
import shutil
import sys

__all__ = ["RequestTimeout", "is_pyhost", "log_var", "postfork", "reload", "request_timeout", "run", "worker_exit",
           "worker_id"]
__version__ = "0.1.0"

is_pyhost = False  # True in the server's module


class RequestTimeout(BaseException):
    """What pyhost raises in a request that takes too long; nobody raises it here."""


def worker_id():
    """The number of the worker; 0, as there is none."""
    return 0


def reload():
    """Ask the server for a reload; nothing."""


def postfork(function):
    """Under pyhost, have the function called in each new worker; here it is returned as it is."""
    return function


def worker_exit(function):
    """Under pyhost, have the function called in each worker that ends; here it is returned as it is."""
    return function


def request_timeout(seconds):
    """Limit the time of the request that runs, in seconds; nothing."""


def log_var(name, value):
    """Add to the access log's entry of the request that runs; nothing."""


def run(app, **options):
    """Serve app, a WSGI callable or the text MODULE:NAME, with these settings.  It does not return.

    It replaces this process by pyhost, which runs the script that called it again, in each of its fork servers and only
    up to this call.  pyhost is $PYHOST_BIN, or found in $PATH; a RuntimeError says that it is not.
    """
    script = sys.modules["__main__"]
    path = getattr(script, "__file__", None)
    if not path:
        raise RuntimeError("pyhost.run() has to be called in a script: an interactive session cannot be run again")
    binary = os.environ.get("PYHOST_BIN") or shutil.which("pyhost")
    if not binary:
        raise RuntimeError("pyhost is not in $PATH; install it, or set $PYHOST_BIN to its path")
    spec = getattr(script, "__spec__", None)
    started = {"argv": sys.argv, "module": spec.name if spec else None}
    environment = dict(os.environ, _PYHOST_SCRIPT=json.dumps(started))
    environment.pop("PYHOST_BIN", None)  # the server would take it for a setting
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    command = [binary, "--python", sys.executable, "--config", "script:" + os.path.abspath(path)]
    try:
        os.execve(binary, command, environment)
    except OSError as error:
        raise RuntimeError("%s cannot be started: %s" % (binary, error))
