"""Notes in the file $NOTES that its atexit function ran, and in which process."""
import atexit
import os


def note():
    with open(os.environ["NOTES"], "a") as notes:
        notes.write("{}\n".format(os.getpid()))


atexit.register(note)


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
