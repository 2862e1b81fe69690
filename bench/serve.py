"""Starts a server that has no command line for it: serve.py SERVER PORT MODULE:CALLABLE, in the working directory.

bjoern has no command line of its own, and fastwsgi's cannot import a package from the working directory.
serve.py nginx PORT FOLDER serves the folder's files below /files/.
"""

import importlib
import os
import sys
from pathlib import Path

server, port, app = sys.argv[1:]
if server == "nginx":
    from front import configure
    command = configure(Path(app), int(port), f"alias {app}/;", location="/files/")
    os.execv(command[0], command)
sys.path.insert(0, os.getcwd())
module, _, attribute = app.partition(":")
importlib.import_module(server).run(getattr(importlib.import_module(module), attribute), "127.0.0.1", int(port))
