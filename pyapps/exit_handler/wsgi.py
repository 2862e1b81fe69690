"""Notes in the file $NOTES that its atexit function ran, and in which process.  "/endless" answers without an end."""
import atexit
import itertools
import os


def note():
    with open(os.environ["NOTES"], "a") as notes:
        notes.write("{}\n".format(os.getpid()))


atexit.register(note)


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/endless":
        return itertools.repeat(b"x" * 65536)
    return [str(os.getpid()).encode()]
