"""Loads unless $BREAK says how not to: "raise", "exit", "syntax", "surrogate", "unprintable".

There is no `missing` in it, and `number` is not callable.
"""
import os
import sys

if os.environ.get("BREAK") == "raise":
    raise RuntimeError("the database is on fire")
if os.environ.get("BREAK") == "exit":
    sys.exit("the configuration is on fire")
if os.environ.get("BREAK") == "syntax":
    compile("def broken(:", "wsgi.py", "exec")

if os.environ.get("BREAK") == "surrogate":
    raise RuntimeError("no file " + os.fsdecode(b"caf\xe9"))
if os.environ.get("BREAK") == "unprintable":
    class Unprintable(Exception):
        def __str__(self):
            raise SystemExit("in __str__")

    raise Unprintable

number = 42


def application(environ, start_response):
    start_response("200 OK", [])
    return [b"loaded"]
