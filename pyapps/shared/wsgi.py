"""Answers where the module library was imported, and which it is: "VERSION worker|forkserver|elsewhere"."""
import os

import library

IMPORTED = library.IMPORTED_BY, os.getpid(), os.getppid()


def application(environ, start_response):
    importer, worker, parent = IMPORTED
    where = {worker: "worker", parent: "forkserver"}.get(importer, "elsewhere")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["{} {}".format(library.VERSION, where).encode()]
