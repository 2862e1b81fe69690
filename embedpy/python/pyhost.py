"""pyhost, as the application that it runs sees it.

The same names come with the installed package of this name (``pip install ./python``), with which an application can be
imported, tested, and served by others, without pyhost.
"""

import _pyhost
import _pyhost_loader as loader
import _pyhost_notes as notes
import _pyhost_worker as worker
from _pyhost_worker import RequestTimeout

__all__ = ["RequestTimeout", "is_pyhost", "log_var", "postfork", "reload", "request_timeout", "run", "worker_exit",
           "worker_id"]
__path__ = []  # pyhost.app.base is a module below this one
__version__ = loader.SERVER_SOFTWARE.partition("/")[2]

is_pyhost = True  # False in the installed package: somebody else runs the application


def worker_id():
    """The number of this worker, from 1, in each moment no other worker's; 0 in the fork server (--preload).

    A worker that replaces one takes over its number, or another one that is free.  Any thread.
    """
    return worker.number


def reload():
    """Ask the master for a graceful reload, as SIGHUP does, and return at once.  Any thread of a worker.

    Raises RuntimeError outside of a worker.
    """
    channel = notes.channel()
    if channel is None:
        raise RuntimeError("pyhost.reload() was called outside of a worker")
    channel.send({"note": "reload"})


def postfork(function):
    """Decorate a function without arguments: it is called once in each worker, before the first request.

    It is called on the worker's main thread when the application is there, also where that was imported before the
    fork (--preload).  If it raises, the worker does not boot.
    """
    worker.after_fork.append(function)
    return function


def worker_exit(function):
    """Decorate a function without arguments: it is called once in each worker that ends, after its last request.

    It is called on the worker's main thread, before atexit's functions.  What it raises is logged.  A worker that is
    killed, or given up because it hangs, does not come to it.
    """
    worker.at_exit.append(function)
    return function


def request_timeout(seconds):
    """Give the request that this thread runs so many seconds from now; None: no limit.

    It takes the place of the setting request_timeout for this request.  When the time is over, RequestTimeout is raised
    in the thread and the client gets 504.  Raises ValueError for what is no positive number, RuntimeError in a thread
    that runs no request.
    """
    _pyhost.request_timeout(seconds)


def log_var(name, value):
    """Add a value to the access log's entry of the request that this thread runs.

    A format shows it with the atom ``%({name}v)s``, the format json in the object "vars".  Case does not count in an
    atom.  The last value of a name counts; str() makes it text, which is cut at 8192 bytes.  It costs next to nothing
    without an access log.  Raises RuntimeError in a thread that runs no request.
    """
    _pyhost.log_var(str(name), str(value))


def run(app, **options):
    """Serve app, a WSGI callable, or the text MODULE:NAME, with these settings.  It does not return.

    Here, in the process that pyhost itself has begun to run the script in, it ends the script: see
    docs/python-module.md.  Raises RuntimeError where no script is run: in the application.
    """
    import _pyhost_script as script
    script.capture(app if isinstance(app, str) else lambda: app, options)
