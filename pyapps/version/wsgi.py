"""Answers "version PID"; tests copy this folder and rewrite release.py before a reload."""
import os

import release


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["{} {}".format(release.VERSION, os.getpid()).encode()]
