"""Yields blocks, waits for the test at the unix socket $GATE, yields more."""
import contextlib
import os
import socket
import stat


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


ends = []


def filling(size, more):
    """Fills the connection, up to some byte around the last that it takes, and goes on with more."""
    try:
        yield b"-" * size
        yield b"+" * more
        yield b"before "
        wait_at_gate()
        yield b"after"
    finally:
        ends.append(size)


def is_socket(fd):
    with contextlib.suppress(OSError):  # the directory's own is closed
        return stat.S_ISSOCK(os.fstat(fd).st_mode)


def narrow(environ, more):
    """Yields more than the connection takes at once: its send buffer is made small behind the server's back."""
    peer = environ["REMOTE_ADDR"], int(environ["REMOTE_PORT"])
    for fd in filter(is_socket, map(int, os.listdir("/proc/self/fd"))):
        with socket.socket(fileno=os.dup(fd)) as client, contextlib.suppress(OSError):
            if client.getpeername() == peer:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    yield from filling(1, more)


def on_the_socket(environ, write, size=0):
    """Goes on with bytes of its own, behind those that it gave to write()."""
    for block in b"-" * size, b"be", b"fo", b"re ":
        write(block)
    with environ["gunicorn.socket"].dup() as client:
        client.setblocking(True)
        client.sendall(b"after")


def forked(write):
    """Lets a child write between two blocks of its own."""
    for block in b"be", b"fo", b"re ":
        write(block)
    child = os.fork()
    if child == 0:
        write(b"and ")
        os._exit(0)
    os.waitpid(child, 0)
    write(b"after")
    return []


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
    if form == "forked":
        return forked(write)
    form, *numbers = form.split("/")
    if form == "socket":
        on_the_socket(environ, write, *map(int, numbers))
        raise StopIteration
    if form == "ends":
        return [b"%d" % len(ends)]
    if form == "narrow":
        return narrow(environ, *map(int, numbers))
    if form == "filling":
        return filling(*map(int, numbers))
    return {"burst": burst, "broken": broken}.get(form, generated)()
