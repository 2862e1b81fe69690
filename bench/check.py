"""Is an answer right? A server that answers fast and wrongly must not look good."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass

from rows import Row


@dataclass(frozen=True)
class Answer:
    """What a server answered. `problem` is None if all was right; `framing` is length, chunked or close."""

    problem: str | None
    framing: str = ""
    keep_alive: bool = False

    def notes(self, row: Row) -> list[str]:
        """What a reader has to know before comparing this server's figures with others."""
        notes = []
        if not self.keep_alive and not row.closes:
            notes.append("new connection per request")
        if row.name in ("generator", "stream") and self.framing == "length":
            notes.append("collects the generator before it sends")
        if self.framing == "close":
            notes.append("ends the body by closing: a truncated one looks complete")
        return notes


def check(port: int, row: Row, timeout: float = 10.0) -> Answer:
    """Sends the row's request twice, on one connection where the server keeps it, and compares the answers."""
    if row.scheme == "https":
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=timeout, context=trusting)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        for _ in range(2):
            answer = _ask(connection, row)
            if answer.problem:
                return answer
    except (OSError, http.client.HTTPException) as error:
        return Answer(f"{type(error).__name__}: {error}")
    finally:
        connection.close()
    return answer


def _ask(connection: http.client.HTTPConnection, row: Row) -> Answer:
    headers = dict(row.headers)
    if row.body is not None:
        headers["Content-Type"] = "application/octet-stream"
    connection.request("GET" if row.body is None else "POST", row.path, body=row.body, headers=headers)
    response = connection.getresponse()
    length = response.getheader("Content-Length")
    framing = "chunked" if response.chunked else "close" if length is None else "length"
    keep_alive = not response.will_close
    body = response.read()
    if response.status != 200:
        return Answer(f"status {response.status}")
    if length is not None and int(length) != len(row.expected):
        return Answer(f"Content-Length {length}, expected {len(row.expected)}")
    if len(body) != len(row.expected):
        return Answer(f"{len(body)} bytes, expected {len(row.expected)}")
    if body != row.expected:
        return Answer("wrong bytes")
    return Answer(None, framing, keep_alive)
