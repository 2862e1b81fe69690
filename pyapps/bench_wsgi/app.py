"""The bare WSGI applications of the benchmark: each does as little as its row needs."""

HELLO = b"Hello, World!\n"
# Ten blocks of a kilobyte, each distinguishable, so that a lost or reordered block is noticed.
BLOCKS = [b"%d" % number * 999 + b"\n" for number in range(10)]
BIG = b"0123456789" * 100_000


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
