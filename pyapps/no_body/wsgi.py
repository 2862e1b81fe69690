"""Returns a body under a status ("/204/list") that may not carry one; counts in "X-Method" what was asked."""

REASONS = {"103": "Early Hints", "200": "OK", "204": "No Content", "304": "Not Modified"}


def generated():
    yield b"not "
    yield b"for you"


def application(environ, start_response):
    _, status, form = environ["PATH_INFO"].split("/")
    headers = [("X-Method", environ["REQUEST_METHOD"])]
    if form == "length":
        headers.append(("Content-Length", "11"))
    write = start_response(status + " " + REASONS[status], headers)
    if form == "write":
        write(b"not for you")
        return []
    if form == "empty":
        return []
    return generated() if form == "generator" else [b"not for you"]
