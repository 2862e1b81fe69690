"""Goes on with a response whose request is over or ending: from close(), __del__, and threads, one way per path."""
import os
import socket
import threading

TEXT = [("Content-Type", "text/plain")]
kept = {}


def wait_at_gate():
    with socket.socket(socket.AF_UNIX) as gate:
        gate.connect(os.environ["GATE"])
        gate.recv(1)


def attempt(action):
    try:
        action()
    except Exception as error:
        return type(error).__name__
    return "nothing"


class Body:
    def __init__(self, close):
        self.close = close

    def __iter__(self):
        return iter([b"bo", b"dy"])


class Finalized:
    def __init__(self, write):
        self.write = write

    def __del__(self):
        kept["raised"] = attempt(lambda: self.write(b"late"))


def close_writes(environ, start_response):
    write = start_response("200 OK", TEXT)

    def close():
        kept["raised"] = attempt(lambda: write(b"late"))

    return Body(close)


def close_hints(environ, start_response):
    start_response("200 OK", TEXT)

    def close():
        kept["raised"] = attempt(lambda: environ["wsgi.early_hints"]([("Link", "late")]))

    return Body(close)


def finalizer_writes(environ, start_response):
    environ["test.finalized"] = Finalized(start_response("200 OK", TEXT))
    return [b"body"]


class Interrupted:
    """Something whose evaluation takes until the next request."""

    def __init__(self):
        self.begun = threading.Event()
        self.resume = threading.Event()

    def wait(self):
        self.begun.set()
        self.resume.wait(60)

    def headers(self):
        yield "X-Late", "yes"
        self.wait()
        yield "X-Later", "yes"

    def __repr__(self):
        self.wait()
        return "interrupted"


def start_late(start_response, *arguments):
    """Call start_response in a thread, stop in the middle of it, and fail the request."""
    interrupted = kept["interrupted"]

    def run():
        kept["raised"] = attempt(lambda: start_response(*arguments))

    kept["thread"] = threading.Thread(target=run)
    kept["thread"].start()
    interrupted.begun.wait(60)
    raise ValueError("the request fails meanwhile")


def headers_last(environ, start_response):
    kept["interrupted"] = Interrupted()
    start_late(start_response, "299 Late", kept["interrupted"].headers())


def repr_lasts(environ, start_response):
    kept["interrupted"] = Interrupted()
    start_late(start_response, kept["interrupted"], TEXT)


def resume(environ, start_response):
    start_response("200 OK", TEXT)
    kept["interrupted"].resume.set()
    kept["thread"].join()
    return [kept["raised"].encode()]


def thread_writes(environ, start_response):
    """The head and the block of a thread's write() are on their way when the application returns."""
    write = start_response("200 OK", TEXT + [("X-Large", "h" * (4 << 20))])
    threading.Thread(target=write, args=(b"b" * (4 << 20),)).start()
    wait_at_gate()
    return []


def threads_write(environ, start_response):
    """Two threads send blocks at the same time."""
    write = start_response("200 OK", TEXT)

    def run(letter):
        for _ in range(20):
            write(letter * 100000)

    threads = [threading.Thread(target=run, args=(letter,)) for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [b"c"]


def raised(environ, start_response):
    start_response("200 OK", TEXT)
    return [kept.pop("raised").encode()]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)
