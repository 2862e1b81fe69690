"""Sends 103 Early Hints (RFC 8297) twice before the response."""


def application(environ, start_response):
    hint = environ["wsgi.early_hints"]
    hint([("Link", "</style.css>; rel=preload; as=style")])
    hint([("Link", "</app.js>; rel=preload"), ("X-Hint", "two"), ("Content-Length", "7"),
          ("Transfer-Encoding", "chunked"), ("Connection", "close")])  # those of the response, which has no place here
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hinted\n"]
