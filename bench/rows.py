"""The rows of the benchmark: which application, which request, which answer is right."""

from __future__ import annotations

from dataclasses import dataclass

HELLO = b"Hello, World!\n"
# wrk/post.lua sends the same ten thousand bytes.
POST = b"0123456789" * 1000
BLOCKS = b"".join(b"%d" % number * 999 + b"\n" for number in range(10))
BIG = b"0123456789" * 100_000


@dataclass(frozen=True)
class Row:
    """One table of results.

    `folder` is below pyapps/ and becomes the servers' working directory. `seconds` is the time measured per round
    and `rounds` how often each contender has its turn; both can be overridden on the command line.
    """

    name: str
    title: str
    folder: str
    app: str
    expected: bytes
    body: bytes | None = None
    script: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    seconds: int = 1
    rounds: int = 5


ROWS = (
    Row("hello", "Bare WSGI hello, 14 bytes", "bench_wsgi", "app:hello", HELLO, seconds=2),
    # gunicorn's sync worker and uWSGI's --http-socket know nothing else, nor do proxies without upstream keep-alive.
    Row("hello-close", "Bare WSGI hello, a new connection for each request", "bench_wsgi", "app:hello", HELLO,
        headers=(("Connection", "close"),), rounds=3),
    Row("flask", "Flask hello", "bench_flask", "app:application", HELLO),
    Row("django", "Django hello, startproject's apps and middleware", "bench_django", "benchsite.wsgi:application",
        HELLO),
    Row("echo", "10 kB POST echo", "bench_wsgi", "app:echo", POST, body=POST, script="post.lua",
        rounds=3),
    Row("generator", "Generator of ten 1 kB blocks, no Content-Length", "bench_wsgi", "app:generator", BLOCKS,
        rounds=3),
    Row("big", "1 MB response", "bench_wsgi", "app:big", BIG, rounds=3),
)

# Memory is measured on Django: a bare application has nothing that pre-fork could share.
# A new connection per request lets the kernel spread them; on 32 kept ones a single worker may end up with them all.
MEMORY = Row("memory", "Memory: Django, four workers", "bench_django", "benchsite.wsgi:application", HELLO,
             headers=(("Connection", "close"),))
