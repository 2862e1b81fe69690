"""Answers with as many bytes as the path says, as one list; /cut breaks off a stream; /together waits for two more."""
import threading

together = threading.Barrier(3, timeout=60)


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/cut":
        return broken()
    if environ["PATH_INFO"] == "/together":
        together.wait()
        return [b"together"]
    return [b"x" * int(environ["PATH_INFO"][1:])]


def broken():
    yield b"begun"
    raise RuntimeError("broken off")
