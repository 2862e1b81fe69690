"""Loads unless $BREAK says how not to ("raise", "exit", "syntax"); has no `missing`; `number` is not callable."""
import os
import sys

if os.environ.get("BREAK") == "raise":
    raise RuntimeError("the database is on fire")
if os.environ.get("BREAK") == "exit":
    sys.exit("the configuration is on fire")
if os.environ.get("BREAK") == "syntax":
    compile("def broken(:", "wsgi.py", "exec")

number = 42


def application(environ, start_response):
    start_response("200 OK", [])
    return [b"loaded"]
