"""Reads the body, or does not; "/errors" tells what read() raised so far, "/calls" how often the app ran."""
import threading

errors = []
calls = []

TEXT = [("Content-Type", "text/plain")]


def read(environ):
    try:
        return environ["wsgi.input"].read(-1)
    except Exception as error:
        errors.append("OSError" if isinstance(error, OSError) else repr(error))
        raise


def leave(environ):
    """Read one byte; the rest is read by a thread that outlives the request."""

    def read_on():
        over.wait(60)
        try:
            read(environ)
        except OSError:
            pass

    over = threading.Event()
    environ["wsgi.input"].raw.readinto(bytearray(1))
    threading.Thread(target=read_on).start()
    threading.Timer(0.1, over.set).start()
    return b"left"


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/errors":
        body = ",".join(errors).encode()
    elif path == "/calls":
        body = str(len(calls)).encode()
    elif path == "/left":
        body = leave(environ)
    elif path == "/lazy":
        return lazily(environ, start_response)
    else:
        calls.append(path)
        body = read(environ) if path == "/read" else b"unread"
    start_response("200 OK", TEXT)
    return [body]


def lazily(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"body: "
    yield read(environ)
