"""Gives the server objects that are not quite what PEP 3333 asks for, or that raise where nobody expects it."""
import threading

TEXT = [("Content-Type", "text/plain")]


class Sized:
    """An iterable whose len() is whatever it is told."""

    def __init__(self, length, *blocks):
        self.length = length
        self.blocks = blocks

    def __len__(self):
        if isinstance(self.length, BaseException):
            raise self.length
        return self.length

    def __iter__(self):
        return iter(self.blocks)


class FailsSecond(Sized):
    def __iter__(self):
        yield b"first"
        raise ValueError("no second block")


class Closing:
    """Iterates over one block; raises what it is told at each step."""

    def __init__(self, on_iter=None, on_attribute=None, on_close=None):
        self.on_iter, self.on_attribute, self.on_close = on_iter, on_attribute, on_close

    def __iter__(self):
        if self.on_iter:
            raise self.on_iter
        return iter([b"body"])

    @property
    def close(self):
        if self.on_attribute:
            raise self.on_attribute
        return self.closed

    def closed(self):
        if self.on_close:
            raise self.on_close


class Unprintable(Exception):
    def __str__(self):
        raise SystemExit("in __str__")


class Blocks(list):
    pass


class Bytes(bytes):
    pass


class Str(str):
    def __repr__(self):
        raise KeyboardInterrupt("in __repr__")


class Pair(list):
    pass


class BrokenPair:
    def __iter__(self):
        raise KeyError("in the pair")


def shrinking():
    """A list that another thread empties while it is sent."""
    blocks = [b"m" * 4000000, b"n" * 4000000]
    threading.Timer(0.001, blocks.clear).start()
    return blocks


BODIES = {
    "len-one": lambda: Sized(1, b"one"),
    "len-one-of-two": lambda: Sized(1, b"one", b" and two"),
    "len-one-of-none": lambda: Sized(1),
    "len-two-of-one": lambda: Sized(2, b"one"),
    "len-negative": lambda: Sized(-5, b"one"),
    "len-raises": lambda: Sized(ValueError("no len"), b"one"),
    "len-one-str": lambda: Sized(1, "text"),
    "len-one-fails": lambda: FailsSecond(1),
    "list-subclass": lambda: Blocks([b"a", b"b"]),
    "bytes-subclass": lambda: [Bytes(b"sub"), Bytes(b"class")],
    "shrinking": shrinking,
    "iter-raises": lambda: Closing(on_iter=ValueError("iter")),
    "iter-and-close-raise": lambda: Closing(on_iter=ValueError("iter"), on_close=KeyError("close")),
    "close-raises": lambda: Closing(on_close=ValueError("close")),
    "close-attribute-raises": lambda: Closing(on_attribute=ValueError("attribute")),
    "no-close": lambda: Closing(on_attribute=AttributeError("close")),
    "none": lambda: None,
    "number": lambda: 42,
    "long-str": lambda: ["x" * 100000],
    "memoryview": lambda: [memoryview(b"view")],
}

HEADERS = {
    "tuple": (("X-Kind", "tuple"),),
    "lists": [["X-Kind", "lists"]],
    "subclass": [Pair(["X-Kind", "subclass"])],
    "str-subclass": [(Str("X-Kind"), Str("str-subclass"))],
    "items": {"X-Kind": "items"}.items(),
    "broken-pair": [BrokenPair()],
    "triple": [("X-Kind", "a", "b")],
    "dict": {"X-Kind": "dict"},
    "number": 42,
    "bad-subclass": [(Str("X-Kind"), Str("line\n"))],
}

EXC_INFO = {
    "numbers": (1, 2, 3),
    "nones": (None, None, None),
    "list": [ValueError, ValueError("v"), None],
    "text": "abc",
    "class": (ValueError, ValueError, None),
    "no-traceback": (ValueError, ValueError("v"), 3),
    "wrong-type": (int, ValueError("the value counts"), None),
}


def late_exc_info(name, start_response):
    start_response("200 OK", TEXT)(b"block ")
    try:
        start_response("500 Late", TEXT, EXC_INFO[name])
    except BaseException as error:
        return [type(error).__name__.encode()]
    return [b"nothing"]


def application(environ, start_response):
    _, place, name = environ["PATH_INFO"].split("/")
    if place == "exc_info":
        return late_exc_info(name, start_response)
    if name == "unprintable":
        raise Unprintable()
    start_response("200 OK", HEADERS[name] if place == "headers" else TEXT)
    if name == "nested":
        start_response("200 OK", TEXT)
    return BODIES[name]() if place == "body" else [b"headed"]
