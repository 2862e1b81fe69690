"""Has the server send a file: the path says the header and, in the query, its value; "/lazy" is a generator, "/206" a
status, "/noted" takes a moment and notes its name for the log."""
import time
from urllib.parse import unquote


def application(environ, start_response):
    kind = environ["PATH_INFO"]
    name = "X-Accel-Redirect" if kind == "/accel" else "X-Sendfile"
    value = unquote(environ["QUERY_STRING"], "latin-1") if kind != "/accel" else environ["QUERY_STRING"]
    headers = [("Content-Type", "text/x-test"), ("Content-Disposition", "attachment"), (name, value)]
    status = "404 Not Found" if kind == "/status" else "200 OK"
    if kind[1:].isdigit():
        status = kind[1:] + " As Asked"
        headers.append(("Content-Range", "bytes 0-0/1"))
    if kind == "/noted":
        import pyhost
        pyhost.log_var("file", value)
        time.sleep(0.2)
    if kind == "/lazy":
        return lazy(start_response, headers)
    if kind == "/write":
        start_response(status, headers)(b"written")
        return []
    start_response(status, headers)
    return [b"not sent"]


def lazy(start_response, headers):
    start_response("200 OK", headers)
    yield b"not "
    yield b"sent"
