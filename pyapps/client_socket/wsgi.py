"""Compares the connection's socket object with the REMOTE_* keys; /kept keeps it beyond the request."""

import threading

ends = []


def watch(client):
    """Reads until the end, as the thread of a websocket library does."""
    try:
        while client.recv(10):
            pass
    except OSError:
        pass
    client.close()
    ends.append("closed")


def application(environ, start_response):
    client = environ["gunicorn.socket"]
    if environ["PATH_INFO"] == "/kept":
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        threading.Thread(target=watch, args=[client]).start()
        return []
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/ends":
        return [" ".join(ends).encode()]
    peer = client.getpeername()
    same = tuple(peer[:2]) == (environ["REMOTE_ADDR"], int(environ["REMOTE_PORT"]))
    return [b"same" if same else repr(peer).encode()]
