"""The bare WSGI applications of the benchmark: each does as little as its row needs."""

import tempfile
from wsgiref.util import FileWrapper

HELLO = b"Hello, World!\n"
# Ten blocks of a kilobyte, each distinguishable, so that a lost or reordered block is noticed.
BLOCKS = [b"%d" % number * 999 + b"\n" for number in range(10)]
BIG = b"0123456789" * 100_000
TINY = b"0123456789" * 10
FILE = tempfile.NamedTemporaryFile()
FILE.write(b"0123456789" * 10_000)
FILE.flush()


def hello(environ, start_response):
    """Answers 14 bytes with a Content-Length."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "14")])
    return [HELLO]


def echo(environ, start_response):
    """Answers with the body of the request."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(body)))])
    return [body]


def generator(environ, start_response):
    """Yields ten blocks of 1000 bytes and names no length: the server has to chunk, close or collect."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    for block in BLOCKS:
        yield block


def big(environ, start_response):
    """Answers one bytes object of a million bytes."""
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", "1000000")])
    return [BIG]


def stream(environ, start_response):
    """Yields a thousand blocks of 100 bytes."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(1000):
        yield TINY


def file(environ, start_response):
    """Answers a file of 100 kB through wsgi.file_wrapper, or the standard library's where the server has none."""
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", "100000")])
    return environ.get("wsgi.file_wrapper", FileWrapper)(open(FILE.name, "rb"))
