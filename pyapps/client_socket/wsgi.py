"""Compares the connection's socket object with the REMOTE_* keys."""


def application(environ, start_response):
    peer = environ["gunicorn.socket"].getpeername()
    same = tuple(peer[:2]) == (environ["REMOTE_ADDR"], int(environ["REMOTE_PORT"]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"same" if same else repr(peer).encode()]
