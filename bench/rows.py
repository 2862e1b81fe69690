"""The rows of the benchmark: which application, which request, which answer is right."""

from __future__ import annotations

from dataclasses import dataclass

HELLO = b"Hello, World!\n"
# wrk/post.lua sends the same ten thousand bytes.
POST = b"0123456789" * 1000
BLOCKS = b"".join(b"%d" % number * 999 + b"\n" for number in range(10))
BIG = b"0123456789" * 100_000

# What a browser sends through a proxy: thirty headers, one of them with ten cookies.
BROWSER = (
    ("X-Real-IP", "203.0.113.7"),
    ("X-Forwarded-For", "203.0.113.7"),
    ("X-Forwarded-Host", "shop.example.com"),
    ("X-Forwarded-Port", "443"),
    ("X-Request-ID", "6a8f3c1e9b2d4f60a7c5e8d1b3f2a496"),
    ("X-Request-Start", "t=1700000000.123"),
    ("Via", "1.1 edge"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("Accept-Language", "en-GB,en;q=0.7,de;q=0.3"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Referer", "https://shop.example.com/shop/items?page=3"),
    ("Cookie", "; ".join(f"cookie{number}=4f1c9a7e2b6d8053f1a2c4e6d8b{number}" for number in range(10))),
    ("Cache-Control", "max-age=0"),
    ("Pragma", "no-cache"),
    ("DNT", "1"),
    ("Upgrade-Insecure-Requests", "1"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-User", "?1"),
    ("Sec-CH-UA", '"Chromium";v="120", "Not A Brand";v="99"'),
    ("Sec-CH-UA-Mobile", "?0"),
    ("Sec-CH-UA-Platform", '"Linux"'),
    ("If-None-Match", '"5f3a9c7b"'),
    ("Priority", "u=0, i"),
    ("X-My-Own-Header", "something"),
    ("X-Another-Header", "of this site"),
    ("X-Third-Header", "and more"),
)

# Those that are worth comparing in every row; the slower ones take part in the main rows only.
FAST = ("pyhost-sync", "uwsgi", "granian-1", "bjoern", "fastwsgi", "floor")
FRONTED = ("pyhost-sync", "pyhost-gthread", "gunicorn-sync", "gunicorn-gthread")
LOGGING = ("pyhost-sync", "gunicorn-sync", "granian-1")
TLS = ("pyhost-sync", "pyhost-gthread", "gunicorn-gthread", "granian-1", "granian-4")
THREADED = ("pyhost-sync", "pyhost-gthread", "gunicorn-gthread", "granian-4", "waitress")


@dataclass(frozen=True)
class Row:
    """One table of results.

    `folder` is below pyapps/ and becomes the servers' working directory. `seconds` is the time measured per round
    and `rounds` how often each contender has its turn; both can be overridden on the command line, as can
    `connections`, where 0 is the number that is usual. `headers` belong to the request. `peers` are the contenders that
    take part, all if empty. `wide`: the server may use the load's core as well. `front`: nginx stands before the
    server, which listens on a unix socket, and passes requests on with this directive. `full`: only in the full set.
    `memory`: each server is run alone, and its memory measured. `afresh`: each turn of a server is that of a new
    process, for applications with which two starts of one server are further apart than two servers. `option` names
    what the servers have to be told besides (Contender.options). `crowd`: meanwhile 500 connections are idle and 200
    dribble their heads. `group` is the chart that shows the row.
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
    rounds: int = 3
    connections: int = 0
    peers: tuple[str, ...] = ()
    wide: bool = False
    front: str = ""
    full: bool = False
    memory: bool = False
    afresh: bool = False
    option: str = ""
    scheme: str = "http"
    path: str = "/"
    crowd: bool = False
    group: str = "hello"

    @property
    def closes(self) -> bool:
        """Whether each request asks for a connection of its own."""
        return ("Connection", "close") in self.headers


def hello(name: str, title: str, **rest) -> Row:
    """A row with the smallest application."""
    return Row(name, title, "bench_wsgi", "app:hello", HELLO, **rest)


def framework(name: str, title: str, app: str, **rest) -> Row:
    """A row with the smallest application of a framework."""
    return Row(name, title, f"bench_{name}", app, HELLO, group="frameworks", afresh=True, **rest)


ROWS = (
    hello("hello", "Bare WSGI hello, 14 bytes", rounds=4, memory=True),
    # Beside the row above: what a line in the combined format costs.
    hello("hello-log", "Bare WSGI hello with an access log in a file", peers=LOGGING, option="log"),
    # gunicorn's sync worker and uWSGI's --http-socket know nothing else, nor do proxies without upstream keep-alive.
    hello("hello-close", "Bare WSGI hello, a new connection for each request", headers=(("Connection", "close"),)),
    hello("hello-1", "Bare WSGI hello, one connection", connections=1, peers=FAST),
    hello("hello-256", "Bare WSGI hello, 256 connections", connections=256, peers=FAST, full=True),
    hello("hello-1000", "Bare WSGI hello, 1,000 connections", connections=1000, peers=FAST, full=True),
    hello("hello-wide", "Bare WSGI hello, the server on two cores, one of them the load's", wide=True, peers=THREADED,
          full=True),
    hello("hello-nginx", "Bare WSGI hello behind nginx: proxy_pass over a unix socket, kept connections",
          front="proxy_pass", peers=FRONTED),
    hello("hello-uwsgi", "Bare WSGI hello behind nginx: uwsgi_pass over a unix socket", front="uwsgi_pass",
          peers=("pyhost-sync", "pyhost-gthread", "uwsgi-socket"), rounds=2, group="edge"),
    hello("hello-tls", "Bare WSGI hello over TLS, kept connections", scheme="https", option="tls", peers=TLS, rounds=2,
          group="edge"),
    hello("hello-crowd", "Bare WSGI hello beside 500 idle connections and 200 that dribble their heads", crowd=True,
          option="crowd", peers=THREADED, rounds=2, group="edge"),
    Row("static", "A file of 1 MB, without Python", "bench_wsgi", "app:hello", BIG, path="/files/large",
        option="static", peers=("pyhost-sync", "nginx"), rounds=2, group="edge"),
    hello("headers", "Bare WSGI hello, 30 request headers with 10 cookies", headers=BROWSER, peers=FAST),
    hello("headers-vary", "Bare WSGI hello, 30 request headers, path and two of them different each time",
          headers=tuple(header for header in BROWSER if header[0] not in ("X-Request-ID", "Cookie")), script="vary.lua",
          peers=FAST, full=True),
    framework("flask", "Flask hello", "app:application", memory=True),
    framework("django", "Django hello, startproject's apps and middleware", "benchsite.wsgi:application", memory=True),
    framework("falcon", "Falcon hello", "app:application", peers=(*FAST, "gunicorn-sync"), full=True),
    framework("bottle", "Bottle hello", "app:application", peers=(*FAST, "gunicorn-sync"), full=True),
    Row("echo", "10 kB POST echo", "bench_wsgi", "app:echo", POST, body=POST, script="post.lua", group="bodies",
        peers=FAST),
    Row("generator", "Generator of ten 1 kB blocks, no Content-Length", "bench_wsgi", "app:generator", BLOCKS,
        group="bodies", peers=FAST),
    Row("stream", "Generator of 1,000 blocks of 100 bytes, no Content-Length", "bench_wsgi", "app:stream",
        BIG[:100_000], group="bodies", peers=FAST, full=True),
    Row("file", "100 kB through wsgi.file_wrapper", "bench_wsgi", "app:file", BIG[:100_000], group="bodies",
        peers=FAST),
    Row("big", "1 MB response", "bench_wsgi", "app:big", BIG, group="bodies", peers=FAST),
    # For uWSGI, which knows nothing else, it is the row above: see the page's method.
    Row("big-close", "1 MB response, a new connection for each request", "bench_wsgi", "app:big", BIG,
        headers=(("Connection", "close"),), rounds=2, full=True, group="bodies", peers=FAST),
)

# Memory is measured on Django: a bare application has nothing that pre-fork could share.
# A new connection per request lets the kernel spread them; on 32 kept ones a single worker may end up with them all.
MEMORY = Row("memory", "Memory: Django, four workers", "bench_django", "benchsite.wsgi:application", HELLO,
             headers=(("Connection", "close"),))
