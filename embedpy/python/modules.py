"""With the setting reload: tells the master where the code of the imported modules is, which it then watches."""

import json
import os
import select
import sys
import threading

PERIOD = 1.0     # seconds between two looks for modules that were imported later
MESSAGE = 8192   # bytes of file names in one message: a message this short goes out whole

control = None   # a descriptor of the worker's control socket
_told = set()


def keep(fd):
    """In a new worker: keep a copy of the control socket, whose own descriptor goes over to Go."""
    global control
    control = os.dup(fd)


def files():
    """The source files of all modules that were not told before."""
    found = []
    for module in list(sys.modules.values()):
        try:
            path = module.__file__
        except Exception:  # no file, or a lazy module that does not like to be looked at
            continue
        if not isinstance(path, str):
            continue
        path = os.path.abspath(path[:-1] if path.endswith((".pyc", ".pyo")) else path)
        if path not in _told:
            _told.add(path)
            found.append(path)
    return found


def messages(found):
    """The files as wire.Event lines."""
    part, size = [], 0
    for path in found + [None]:
        if part and (path is None or size > MESSAGE):
            yield json.dumps({"event": "modules", "files": part}).encode("utf-8", "backslashreplace") + b"\n"
            part, size = [], 0
        if path is not None:
            part.append(path)
            size += len(path)


def tell():
    """Send what is new to the master.  Go writes to the same socket, so a message must not be cut."""
    for message in messages(files()):
        while True:
            try:
                os.write(control, message)
                break
            except BlockingIOError:
                select.select([], [control], [])


def _watch():
    count, pause = 0, threading.Event()
    while not pause.wait(PERIOD):
        if len(sys.modules) != count:
            count = len(sys.modules)
            try:
                tell()
            except OSError:  # the master is gone
                return


def start():
    """Tell about the modules of the application, and from now on about those that it imports later."""
    tell()
    threading.Thread(target=_watch, name="pyhost-modules", daemon=True).start()
