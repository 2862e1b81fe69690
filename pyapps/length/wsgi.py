"""Declares a Content-Length of $QUERY_STRING and sends ten bytes in the form that the path names."""


def generated():
    yield b"01234"
    yield b"56789"


def application(environ, start_response):
    headers = [("Content-Type", "text/plain"), ("Content-Length", environ["QUERY_STRING"])]
    if environ["PATH_INFO"] == "/again":  # a middleware that adds what is there already
        headers.append(("content-length", " %s\t" % environ["QUERY_STRING"]))
    write = start_response("200 OK", headers)
    form = environ["PATH_INFO"].strip("/")
    if form == "write":
        write(b"01234")
        write(b"56789")
        return []
    if form == "blocks":
        return [b"01234", b"56789"]
    return generated() if form == "generator" else [b"0123456789"]
