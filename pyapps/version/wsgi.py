"""Answers "version PID", to "/?SECONDS" after so long; tests copy this folder and rewrite release.py."""
import os
import time

import release

warmed = []


def warm(environ):
    warmed.append("{0[wsgi.url_scheme]}://{0[HTTP_HOST]}{0[RAW_URI]}".format(environ))
    status = getattr(release, "WARM", "200 OK")
    if status == "hang":
        time.sleep(60)
    return status, ""


ANSWERS = {"/warm": warm, "/warmed": lambda environ: ("200 OK", " ".join(warmed))}


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path in ANSWERS:
        status, text = ANSWERS[path](environ)
    else:
        time.sleep(float(environ["QUERY_STRING"] or 0))
        status, text = "200 OK", "{} {}".format(release.VERSION, os.getpid())
    start_response(status, [("Content-Type", "text/plain")])
    return [text.encode()]
