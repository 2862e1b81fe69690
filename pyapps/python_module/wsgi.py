"""What an application can say to pyhost through the module pyhost."""
import os
import sys
import time

import pyhost

forked = []


@pyhost.postfork
def after_fork():
    """Open a connection, for instance."""
    forked.append(os.getpid())
    if os.environ.get("POSTFORK") == "fails":
        raise OSError("no connection")


@pyhost.worker_exit
def before_exit():
    """Close it."""
    print("closed by %d of %s" % (os.getpid(), forked), file=sys.stderr, flush=True)
    if os.environ.get("WORKER_EXIT") == "fails":
        raise OSError("no connection to close")


def slow():
    """Take longer than allowed."""
    pyhost.request_timeout(0.2)
    try:
        while True:  # an exception reaches a thread between two steps, not in a long one
            time.sleep(0.01)
    except pyhost.RequestTimeout:
        print("gave up", file=sys.stderr, flush=True)
        raise


ACTIONS = {"/reload": pyhost.reload, "/slow": slow, "/run": lambda: pyhost.run(application)}


def application(environ, start_response):
    """Tell the worker's number."""
    environ["app.Tenant"] = "acme"
    pyhost.log_var("user", "nobody")
    pyhost.log_var("User-Agent", 7)
    pyhost.log_var("user", "J\u00fcrgen \"quoted\"")
    text = "%d %s %s" % (pyhost.worker_id(), pyhost.is_pyhost, forked == [os.getpid()])
    ACTIONS.get(environ["PATH_INFO"], lambda: None)()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]
