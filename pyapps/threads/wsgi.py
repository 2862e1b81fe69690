"""Tells on which thread a request runs, after meeting the test at $GATE if the path is "/gate"."""
import contextvars
import json
import os
import socket
import threading

import_thread = threading.get_ident()
local = threading.local()
variable = contextvars.ContextVar("requests", default=0)


def wait_at_gate():
    with socket.socket(socket.AF_UNIX) as gate:
        gate.connect(os.environ["GATE"])
        gate.recv(1)


def application(environ, start_response):
    if environ["PATH_INFO"] == "/gate":
        wait_at_gate()
    local.requests = getattr(local, "requests", 0) + 1
    variable.set(variable.get() + 1)
    thread = threading.current_thread()
    report = {
        "ident": threading.get_ident(),
        "main": thread is threading.main_thread(),
        "import thread": threading.get_ident() == import_thread,
        "class": type(thread).__name__,
        "starts daemons": threading.Thread().daemon,
        "listed": thread in threading.enumerate(),
        "local": local.requests,
        "variable": variable.get(),
        "multithread": environ["wsgi.multithread"],
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(report).encode()]
