"""PEP 3333, "The start_response() Callable": one way of calling it per path."""
import sys

TEXT = [("Content-Type", "text/plain")]


def twice(start_response):
    start_response("200 OK", TEXT)
    start_response("201 Created", TEXT)
    return [b"unreachable"]


def twice_caught(start_response):
    start_response("200 OK", TEXT + [("X-Call", "first")])
    try:
        start_response("201 Created", TEXT + [("X-Call", "second")])
    except Exception as error:
        return [type(error).__name__.encode()]
    return [b"accepted"]


def replaced(start_response):
    start_response("200 OK", TEXT + [("X-Call", "first"), ("Content-Length", "1")])
    try:
        raise ValueError("changed my mind")
    except ValueError:
        start_response("503 Replaced", TEXT + [("X-Call", "second")], sys.exc_info())
    return [b"replaced"]


def replaced_lazily(start_response):
    start_response("200 OK", TEXT + [("X-Call", "first")])
    yield b""
    try:
        raise ValueError("changed my mind")
    except ValueError:
        start_response("503 Replaced", TEXT + [("X-Call", "second")], sys.exc_info())
    yield b"replaced"


def after_head(start_response):
    start_response("200 OK", TEXT)
    yield b"first"
    try:
        raise ValueError("too late to replace")
    except ValueError:
        start_response("500 Replaced", TEXT, sys.exc_info())
    yield b"unreachable"


def after_head_caught(start_response):
    start_response("200 OK", TEXT)
    yield b"first "
    try:
        raise ValueError("too late to replace")
    except ValueError as original:
        try:
            start_response("500 Replaced", TEXT, sys.exc_info())
        except ValueError as error:
            yield b"same" if error is original else b"another"


def never(start_response):
    return [b"headless"]


def never_lazily(start_response):
    yield b"headless"


def lazy(start_response):
    start_response("200 Lazy", TEXT)
    yield b"called "
    yield b"in the generator"


def keyword(start_response):
    start_response("200 OK", TEXT, exc_info=None)
    return [b"keyword"]


def none_exc_info(start_response):
    start_response("200 OK", TEXT, None)
    return [b"none"]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](start_response)
