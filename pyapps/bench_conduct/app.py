"""Tells the benchmark what a server does with a response and when: see bench/conduct.py."""

import time

closed = 0


class Body:
    """One block; counts the calls of close()."""

    def __init__(self, block):
        self.block = block

    def __iter__(self):
        yield self.block

    def close(self):
        """Counts."""
        global closed
        closed += 1


def application(environ, start_response):
    """Answers with a number and a newline: at /closed how many bodies have been closed, else when it was made.

    That is in seconds of CLOCK_MONOTONIC. /nap/SECONDS sleeps first.
    """
    path = environ["PATH_INFO"]
    if "/nap/" in path:
        time.sleep(float(path.rpartition("/")[2]))
    number = b"%d\n" % closed if path.endswith("/closed") else b"%.6f\n" % time.monotonic()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(number)))])
    return Body(number)
