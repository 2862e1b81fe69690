"""Yields blocks, waits for the test at the unix socket $GATE, yields more."""
import os
import socket


def wait_at_gate():
    with socket.socket(socket.AF_UNIX) as gate:
        gate.connect(os.environ["GATE"])
        gate.recv(1)


def generated():
    yield b"before "
    wait_at_gate()
    yield b"after"


def burst():
    """Blocks that follow each other at once."""
    yield b"b"
    yield b"e"
    yield b"f"
    yield b"ore "
    wait_at_gate()
    yield b"af"
    yield b"ter"


def broken():
    yield from burst()
    raise ValueError("on purpose")


def filling(size):
    """Fills the connection, up to some byte around the last that it takes, and goes on with little."""
    yield b"-" * size
    yield b"b"
    yield b"efore "
    wait_at_gate()
    yield b"after"


def on_the_socket(environ, write):
    """Goes on with bytes of its own, behind those that it gave to write()."""
    for block in b"be", b"fo", b"re ":
        write(block)
    with environ["gunicorn.socket"].dup() as client:
        client.sendall(b"after")


def application(environ, start_response):
    form = environ["PATH_INFO"].strip("/")
    headers = [("Content-Length", "12")] if form == "length" else []
    write = start_response("200 OK", headers)
    if form == "write":
        write(b"before ")
        wait_at_gate()
        write(b"after")
        return []
    if form == "burst-write":
        for block in burst():
            write(block)
        return []
    if form == "socket":
        on_the_socket(environ, write)
        raise StopIteration
    if form.startswith("filling/"):
        return filling(int(form.partition("/")[2]))
    return {"burst": burst, "broken": broken}.get(form, generated)()
