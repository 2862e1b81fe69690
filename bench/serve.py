"""Starts bjoern or fastwsgi: serve.py SERVER PORT MODULE:CALLABLE, in the working directory.

bjoern has no command line of its own, and fastwsgi's cannot import a package from the working directory.
"""

import importlib
import os
import sys

server, port, app = sys.argv[1:]
sys.path.insert(0, os.getcwd())
module, _, attribute = app.partition(":")
importlib.import_module(server).run(getattr(importlib.import_module(module), attribute), "127.0.0.1", int(port))
