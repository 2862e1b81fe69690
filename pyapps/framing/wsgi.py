"""Says what of a request reached the application; /stream answers with an endless generator."""


def application(environ, start_response):
    if environ["PATH_INFO"] == "/stream":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return stream()
    if environ["PATH_INFO"] == "/closed":
        body = str(closed)
    else:
        names = (
            "REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "HTTP_HOST", "SERVER_PROTOCOL", "HTTP_X_A", "HTTP_COOKIE")
        body = "|".join(environ.get(name, "") for name in names)
        body += "|" + environ["wsgi.input"].read(-1).decode("latin-1")
    data = body.encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(data)))])
    return [data]


closed = 0


def stream():
    global closed
    try:
        while True:
            yield b"x" * 65536
    finally:
        closed += 1
