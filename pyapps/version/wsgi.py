"""Answers "version PID", to "/?SECONDS" after so long; tests copy this folder and rewrite release.py."""
import os
import time

import release


def application(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"] or 0))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["{} {}".format(release.VERSION, os.getpid()).encode()]
