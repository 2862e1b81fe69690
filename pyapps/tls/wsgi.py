"""Answers with as many bytes as the path says, as one list; /cut breaks off a stream."""


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/cut":
        return broken()
    return [b"x" * int(environ["PATH_INFO"][1:])]


def broken():
    yield b"begun"
    raise RuntimeError("broken off")
