"""Yields one block, waits for the test at the unix socket $GATE, yields another."""
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


def application(environ, start_response):
    form = environ["PATH_INFO"].strip("/")
    headers = [("Content-Length", "12")] if form == "length" else []
    write = start_response("200 OK", headers)
    if form == "write":
        write(b"before ")
        wait_at_gate()
        write(b"after")
        return []
    return generated()
