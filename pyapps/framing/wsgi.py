"""Says what of a request reached the application; /stream answers with an endless generator."""

import os
import socket

NAMES = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "HTTP_HOST", "SERVER_PROTOCOL", "HTTP_X_A", "HTTP_COOKIE")

smuggled = []
closed = 0


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/smuggled":
        smuggled.append(environ["REQUEST_METHOD"])
    if path == "/stream":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return stream()
    if path == "/unread":
        body = "unread"
    elif path == "/gate":
        body = wait_at_gate()
    elif path == "/served":
        body = str(smuggled)
    elif path == "/closed":
        body = str(closed)
    else:
        body = "|".join(environ.get(name, "") for name in NAMES)
        body += "|" + environ["wsgi.input"].read(-1).decode("latin-1")
    data = body.encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(data)))])
    return [data]


def wait_at_gate():
    with socket.socket(socket.AF_UNIX) as gate:
        gate.connect(os.environ["GATE"])
        gate.recv(1)
    return "passed"


def stream():
    global closed
    try:
        while True:
            yield b"x" * 65536
    finally:
        closed += 1
