"""Raises at every point of a request; "/pid" and "/lines" are well behaved."""
import os

TEXT = [("Content-Type", "text/plain")]


class Interrupted(BaseException):
    pass


ERRORS = {
    "value": ValueError("bad value"),
    "unicode": ValueError("caf\u00e9 \u20ac"),
    "exit": SystemExit(7),
    "exit-none": SystemExit(),
    "interrupt": KeyboardInterrupt(),
    "base": Interrupted("not an Exception"),
    "stop": StopIteration("from the application"),
}


def raise_before_start(name, start_response):
    raise ERRORS[name]


def raise_after_start(name, start_response):
    start_response("200 OK", TEXT + [("X-Lost", "yes")])
    raise ERRORS[name]


def raise_on_first_block(name, start_response):
    start_response("200 OK", TEXT + [("X-Lost", "yes")])
    if name:
        raise ERRORS[name]
    yield b"unreachable"


def raise_after_block(name, start_response):
    start_response("200 OK", TEXT)
    yield b"first block"
    raise ERRORS[name]


def raise_after_counted_block(name, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "100")])
    yield b"first block"
    raise ERRORS[name]


def raise_after_write(name, start_response):
    start_response("200 OK", TEXT)(b"first block")
    raise ERRORS[name]


def recurse(name, start_response):
    return recurse(name, start_response)


def pid(name, start_response):
    start_response("200 OK", TEXT)
    return [str(os.getpid()).encode()]


def application(environ, start_response):
    _, place, name = environ["PATH_INFO"].split("/")
    return globals()[place](name, start_response)
