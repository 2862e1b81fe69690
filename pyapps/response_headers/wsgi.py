"""Unusual but legal statuses and headers, one set per path."""

RESPONSES = {
    "reason": ("299 Very Much Custom", []),
    "empty-reason": ("200 ", []),
    "latin-reason": ("200 caf\u00e9", []),
    "latin": ("200 OK", [("X-Latin", "caf\u00e9 \u00ff")]),
    "cookies": ("200 OK", [("Set-Cookie", "a=1"), ("X-Between", "yes"), ("Set-Cookie", "b=2")]),
    "empty-value": ("200 OK", [("X-Empty", "")]),
    "odd-name": ("200 OK", [("X-!#$%&'*+-.^_`|~", "token")]),
    "server": ("200 OK", [("Server", "mine/1")]),
    "date": ("200 OK", [("Date", "Thu, 01 Jan 1970 00:00:00 GMT")]),
    "lower-case": ("200 OK", [("server", "mine/2"), ("date", "Thu, 01 Jan 1970 00:00:00 GMT")]),
    "tab": ("200 OK", [("X-Tab", "a\tb")]),
    "many": ("200 OK", [("X-Field-{}".format(n), "v" * 50) for n in range(200)]),
}


def application(environ, start_response):
    status, headers = RESPONSES[environ["PATH_INFO"].strip("/")]
    start_response(status, [("Content-Type", "text/plain")] + headers)
    return [b"body"]
