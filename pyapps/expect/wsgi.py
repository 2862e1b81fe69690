"""Reads the body, or does not; "/errors" tells what read() raised so far, "/calls" how often the app ran."""

errors = []
calls = []

TEXT = [("Content-Type", "text/plain")]


def read(environ):
    try:
        return environ["wsgi.input"].read()
    except Exception as error:
        errors.append("OSError" if isinstance(error, OSError) else repr(error))
        raise


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/errors":
        body = ",".join(errors).encode()
    elif path == "/calls":
        body = str(len(calls)).encode()
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
