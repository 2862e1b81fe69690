"""Requests that do not end by themselves, each in its own way; "/" ends at once."""
import atexit
import os
import re
import time
import urllib.parse

import _pyhost

cleaned = []


def loop():
    try:
        while True:
            pass
    finally:
        cleaned.append("loop")


def stubborn():
    """What `except Exception` around a loop's body does to an interruption."""
    while True:
        try:
            while True:
                pass
        except Exception:
            continue


def sleep():
    time.sleep(3600)


def nap():
    time.sleep(1.5)


def hold_gil():
    re.match(r"(a+)+$", "a" * 60 + "b")  # looks at all of 2**60 ways, and never lets go of the GIL


def own_limit(query):
    _pyhost.request_timeout(float(query["seconds"][0]))
    while True:
        pass


def near_limit():
    """Ends at about the moment at which it would be interrupted."""
    _pyhost.request_timeout(0.01)
    end = time.monotonic() + 0.01
    while time.monotonic() < end:
        pass


def no_limit():
    _pyhost.request_timeout(None)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        pass


def long():
    _pyhost.request_timeout(None)
    time.sleep(4.5)


class HungClose:
    """A body whose close() does not return."""

    def __init__(self):
        self.blocks = [b"body"]

    def __iter__(self):
        return iter(self.blocks)

    def close(self):
        loop()


class HungAfterError(HungClose):
    """One that fails before: this is what its log has to tell."""

    def __iter__(self):
        raise ValueError("before the close")


def stream():
    yield b"first"
    loop()


def application(environ, start_response):
    path, query = environ["PATH_INFO"], urllib.parse.parse_qs(environ["QUERY_STRING"])
    os.write(1, b"busy %d %s\n" % (os.getpid(), path.encode()))
    if path == "/own":
        own_limit(query)
    action = {"/loop": loop, "/stubborn": stubborn, "/sleep": sleep, "/nap": nap, "/gil": hold_gil,
              "/unlimited": no_limit, "/near": near_limit,
              "/long": long, "/atexit": lambda: atexit.register(sleep)}.get(path)
    if action:
        action()
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/stream":
        return stream()
    if path == "/close":
        return HungClose()
    if path == "/error_close":
        return HungAfterError()
    return [("%d %s" % (os.getpid(), ",".join(cleaned))).encode()]
