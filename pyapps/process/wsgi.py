"""Tells about its process; on demand meets the test at $GATE ("/gate"), hangs ("/hang", "/spin"), grows or dies."""
import sys

loaded_before = {name: name in sys.modules for name in ("decimal", "ssl")}

import ctypes  # noqa: E402
import json
import os
import signal
import socket
import threading

marker = object()
import_pid = os.getpid()


def wait_at_gate():
    with socket.socket(socket.AF_UNIX) as gate:
        gate.connect(os.environ["GATE"])
        gate.recv(1)


def spin():
    while True:
        pass


ACTIONS = {
    "/gate": wait_at_gate,
    "/hang": lambda: threading.Event().wait(),
    "/spin": spin,
    "/segfault": lambda: ctypes.string_at(0),
    "/raise": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "/abort": os.abort,
    "/eat": lambda: b"x" * (300 << 20),
    "/exit": lambda: os._exit(9),
    "/leave": lambda: os._exit(0),
}


def application(environ, start_response):
    ACTIONS.get(environ["PATH_INFO"], lambda: None)()
    report = {
        "pid": os.getpid(),
        "ppid": os.getppid(),
        "import_pid": import_pid,
        "loaded_before": loaded_before,
        "marker": id(marker),
        "prefix": sys.prefix,
        "executable": sys.executable,
        "cwd": os.getcwd(),
        "environment": os.environ.get("MARK", ""),
        "server": environ["SERVER_NAME"] + ":" + environ["SERVER_PORT"],
        "remote": environ["REMOTE_ADDR"],
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(report).encode()]
