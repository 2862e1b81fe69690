"""Every shape of request; "/stats" tells what the process holds after a collection."""
import gc
import json
import os
import sys
import tempfile
import threading

TEXT = [("Content-Type", "text/plain")]


def stats():
    gc.collect()
    with open("/proc/self/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return {
        "rss": int(fields["VmRSS"].split()[0]),
        "fds": len(os.listdir("/proc/self/fd")),
        "threads": int(fields["Threads"]),
        "python": threading.active_count(),
        "blocks": sys.getallocatedblocks(),
    }


def generated(environ):
    for key in ("REQUEST_METHOD", "PATH_INFO", "SERVER_PROTOCOL"):
        yield environ[key].encode()


def wrapped(environ):
    handle = tempfile.TemporaryFile()
    handle.write(b"content" * 100)
    handle.seek(0)
    return environ["wsgi.file_wrapper"](handle)


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/fail":
        raise ValueError("on purpose")
    if path == "/bad-header":
        start_response("200 OK", [("X-Bad", "a\r\nb")])
    write = start_response("200 OK", TEXT)
    if path == "/stats":
        return [json.dumps(stats()).encode()]
    if path == "/generator":
        return generated(environ)
    if path == "/write":
        write(b"written")
        return []
    if path == "/file":
        return wrapped(environ)
    if path == "/cut":
        return cut()
    return [environ["wsgi.input"].read(-1) or b"hello"]


def cut():
    yield b"some"
    raise ValueError("on purpose")
