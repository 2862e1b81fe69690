"""The application behind the hooks: it greets, fails, or hangs."""

import time


def application(environ, start_response):
    """PEP 3333."""
    path = environ["PATH_INFO"]
    if path == "/raise":
        raise ValueError("the application failed")
    if path == "/sleep":
        time.sleep(60)
    environ["REQUEST_METHOD"] = "CHANGED"
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/headers":
        shown = ["%s=%s" % (key, environ[key]) for key in sorted(environ) if key.startswith("HTTP_X")]
        return ["\n".join(shown).encode("latin-1")]
    return [b"Hello, world!\n"]
