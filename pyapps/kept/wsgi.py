"""Keeps objects for as long as its process lives; what becomes of them at its end is in the file $NOTES."""
import atexit
import os
import signal
import subprocess
import threading

kept = open(os.environ["NOTES"], "a", buffering=1 << 16)
local = threading.local()


def note(text, write=os.write, file=os.open(os.environ["NOTES"], os.O_WRONLY | os.O_APPEND)):
    write(file, text + b"\n")  # at the very end the module's names are gone


class Noted:
    def __init__(self, name):
        self.name = name

    def __del__(self, note=note):
        note(self.name)


of_module = Noted(b"object of a module")


def terminate():
    """A process that is told to end while the interpreter ends."""
    child = subprocess.Popen(["sleep", "60"])
    child.send_signal(signal.SIGTERM)
    try:
        note(b"child %d" % child.wait(10))
    except subprocess.TimeoutExpired:
        child.kill()
        note(b"child did not end")


atexit.register(terminate)


def application(environ, start_response):
    if not hasattr(local, "value"):
        local.value = Noted(b"object of a thread")
    kept.write("buffered line\n")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b""]
