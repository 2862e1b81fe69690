"""Breaks one rule of PEP 3333 or RFC 9110 per path; "/good" breaks none."""

TEXT = ("Content-Type", "text/plain")
OK = "200 OK"

RESPONSES = {
    "good": (OK, [TEXT], [b"good"]),
    "status-int": (200, [TEXT], [b"x"]),
    "status-bytes": (b"200 OK", [TEXT], [b"x"]),
    "status-short": ("20 OK", [TEXT], [b"x"]),
    "status-word": ("OK", [TEXT], [b"x"]),
    "status-crlf": ("200 OK\r\nX-Injected: 1", [TEXT], [b"x"]),
    "headers-none": (OK, None, [b"x"]),
    "header-triple": (OK, [("X-Bad", "a", "b")], [b"x"]),
    "name-bytes": (OK, [(b"X-Bad", "v")], [b"x"]),
    "name-empty": (OK, [("", "v")], [b"x"]),
    "name-space": (OK, [("X Bad", "v")], [b"x"]),
    "name-colon": (OK, [("X-Bad:", "v")], [b"x"]),
    "name-crlf": (OK, [("X-Bad\r\nX-Injected", "v")], [b"x"]),
    "value-int": (OK, [("X-Bad", 5)], [b"x"]),
    "value-bytes": (OK, [("X-Bad", b"v")], [b"x"]),
    "value-none": (OK, [("X-Bad", None)], [b"x"]),
    "value-crlf": (OK, [("X-Bad", "v\r\nX-Injected: 1")], [b"x"]),
    "value-lf": (OK, [("X-Bad", "v\nX-Injected: 1")], [b"x"]),
    "value-cr": (OK, [("X-Bad", "v\rX-Injected: 1")], [b"x"]),
    "value-nul": (OK, [("X-Bad", "v\0")], [b"x"]),
    "value-euro": (OK, [("X-Bad", "\u20ac")], [b"x"]),
    "length-word": (OK, [("Content-Length", "one")], [b"x"]),
    "length-negative": (OK, [("Content-Length", "-1")], [b"x"]),
    "length-two": (OK, [("Content-Length", "1"), ("Content-Length", "2")], [b"x"]),
    "body-str": (OK, [TEXT], ["text"]),
    "body-strs": (OK, [TEXT], ("text" for _ in range(3))),
    "body-int": (OK, [TEXT], [1]),
    "body-none": (OK, [TEXT], [None]),
    "body-second-str": (OK, [TEXT], [b"bytes", "text"]),
    "returned-none": (OK, [TEXT], None),
    "returned-str": (OK, [TEXT], "text"),
    "returned-bytes": (OK, [TEXT], b"bytes"),
    "hop-connection": (OK, [("Connection", "close")], [b"x"]),
    "hop-keep-alive": (OK, [("Keep-Alive", "timeout=5")], [b"x"]),
    "hop-transfer-encoding": (OK, [("Transfer-Encoding", "chunked")], [b"x"]),
    "hop-te": (OK, [("TE", "trailers")], [b"x"]),
    "hop-trailers": (OK, [("Trailers", "X-Sum")], [b"x"]),
    "hop-upgrade": (OK, [("upgrade", "websocket")], [b"x"]),
    "hop-proxy-authenticate": (OK, [("Proxy-Authenticate", "Basic")], [b"x"]),
    "hop-proxy-authorization": (OK, [("Proxy-Authorization", "Basic x")], [b"x"]),
}


def application(environ, start_response):
    status, headers, body = RESPONSES[environ["PATH_INFO"].strip("/")]
    start_response(status, headers)
    return body
