"""Counts how often the server calls close() on the body; "/count/<name>" tells."""
from collections import Counter

TEXT = [("Content-Type", "text/plain")]
closed = Counter()


class Body:
    def __init__(self, name, blocks):
        self.name = name
        self.blocks = iter(blocks)

    def __iter__(self):
        if self.name == "iter-error":
            raise RuntimeError("no iterator today")
        return self

    def __next__(self):
        return next(self.blocks)

    def close(self):
        closed[self.name] += 1
        if self.name == "close-error":
            raise RuntimeError("close failed")


class ListWithClose(list):
    def close(self):
        closed["list"] += 1


def failing(*blocks):
    yield from blocks
    raise RuntimeError("iteration failed")


def endless():
    while True:
        yield b"e" * 65536


def finalised(blocks):
    try:
        yield from blocks
    finally:
        closed["generator"] += 1


def body(name):
    if name == "list":
        return ListWithClose([b"a list"])
    if name == "generator":
        return finalised(endless())
    if name == "first-error":
        return Body(name, failing())
    if name == "later-error":
        return Body(name, failing(b"first"))
    if name == "bad-block":
        return Body(name, [b"first", "text"])
    if name == "gone":
        return Body(name, endless())
    return Body(name, [b"one ", b"two"])


def application(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    status = "304 Not Modified" if name == "not-modified" else "200 OK"
    start_response(status, [("X-Name", name)] + (TEXT if status == "200 OK" else []))
    if name.startswith("count/"):
        return [str(closed[name[len("count/"):]]).encode()]
    if name == "headless":
        start_response("500 Twice", [])
    return body(name)
