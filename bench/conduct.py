"""What PEP 3333 asks of a server and its answers do not show; leaving it out makes a framework's row cheaper.

`close()` of a response is where frameworks end the request: Django sends request_finished there, which gives back
database connections. And a block must not be delayed: a server that answers all requests that it has at hand in one go
wakes its client once for all of them, but the first answer then waits for the applications of the others.
"""

from __future__ import annotations

import http.client
import selectors
import socket
import time

APP, FOLDER = "app:application", "bench_conduct"
NOT_CLOSED = "does not call close() (PEP 3333)"
HELD_BACK = "holds an answer back while it runs other requests (PEP 3333)"


def observe(port: int, nap: float = 0.2, patience: float = 2.0) -> list[str]:
    """Remarks on the server, which runs the application APP in one process. Raises OSError, HTTPException, ValueError.

    `nap` is how long a request takes that others wait for, `patience` how long a call of close() is waited for, in
    seconds.
    """
    remarks = []
    if not _closes(port, patience):
        remarks.append(NOT_CLOSED)
    # Twice: on a busy machine an answer may be late by chance.
    if all(_delay(port, nap) > nap / 2 for _ in range(2)):
        remarks.append(HELD_BACK)
    return remarks


def _closes(port: int, patience: float) -> bool:
    """Whether it closes a response. A thread may be at it still when the client has its answer."""
    _ask(port, "/")
    end = time.monotonic() + patience
    while not _ask(port, "/closed"):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _ask(port: int, path: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return float(connection.getresponse().read())
    finally:
        connection.close()


def _delay(port: int, nap: float) -> float:
    """Seconds between an answer's making and its arrival, the most of two that are asked for together with a nap.

    The server has accepted all connections, and naps when these three requests come: it finds them all at once.
    """
    paths = (f"/nap/{nap}", "/first", f"/nap/{nap}", "/second")
    clients = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in paths]
    arrivals, answers = {}, {client: b"" for client in clients}
    try:
        time.sleep(nap / 4)
        with selectors.DefaultSelector() as selector:
            for client, path in zip(clients, paths):
                selector.register(client, selectors.EVENT_READ)
                client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                if client is clients[0]:
                    time.sleep(nap / 4)
            while len(arrivals) < len(clients):
                ready = selector.select(10)
                if not ready:
                    raise TimeoutError("no answer")
                for key, _ in ready:
                    client = key.fileobj
                    block = client.recv(65536)
                    answers[client] += block
                    if not block or _body(answers[client]).endswith(b"\n"):
                        arrivals[client] = time.monotonic()
                        selector.unregister(client)
    finally:
        for client in clients:
            client.close()
    return max(arrivals[client] - float(_body(answers[client])) for client in clients[1::2])


def _body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]
