"""Requests that end in every way that there is."""
import os
import time

import pyhost


def endless():
    """Until somebody stops it."""
    while True:
        yield b"x" * 65536
        time.sleep(0.01)


def application(environ, start_response):
    """PEP 3333."""
    path = environ["PATH_INFO"]
    if path == "/fail":
        raise ValueError("failed")
    if path == "/die":
        os._exit(9)
    if path == "/slow":
        pyhost.request_timeout(0.2)
        while True:
            time.sleep(0.01)
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/endless":
        return endless()
    return [b"answered"]
