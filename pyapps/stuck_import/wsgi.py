"""An import that does not end: in Python, or, with HOLD set, in C that keeps the GIL."""
import os
import re
import threading


def connect():
    if os.environ.get("HOLD"):
        re.match(r"(a+)+$", "a" * 60 + "b")
    threading.Event().wait()


connect()
