"""The objects that pre_request and post_request get, and the two calls that C makes for them around each request."""

import _pyhost_hooks as hooks

worker = None  # set at boot, where one of the two hooks is


class Request:
    """A request as gunicorn's hooks know it.  Hooks may add attributes: post_request gets the same object.

    uri is the target as the client sent it, path and query are its parts, still percent-encoded.  headers is a list of
    (NAME, value).
    """

    def __init__(self, environ):
        self._environ = dict(environ)  # the application may change its own
        self._headers = self._given = None
        self.method = environ["REQUEST_METHOD"]
        self.uri = environ["RAW_URI"]
        rest, _, self.fragment = self.uri.partition("#")
        target, _, self.query = rest.partition("?")
        if not target.startswith("/") and "://" in target:  # absolute-form
            target = "/" + target.split("://", 1)[1].partition("/")[2]
        self.path = target
        self.scheme = environ["wsgi.url_scheme"]
        self.body = environ["wsgi.input"]
        self.trailers = []
        self.proxy_protocol_info = None

    @property
    def version(self):
        """(1, 1)"""
        major, _, minor = self._environ["SERVER_PROTOCOL"][5:].partition(".")
        return int(major), int(minor or 0)

    @property
    def remote_addr(self):
        """(address, port) of the client; "" on a unix socket."""
        if "REMOTE_PORT" not in self._environ:
            return ""
        return self._environ["REMOTE_ADDR"], int(self._environ["REMOTE_PORT"])

    peer_addr = remote_addr

    @property
    def headers(self):
        """[(NAME, value)], names in upper case; repeated ones are joined as in environ.

        What pre_request adds, changes or takes away holds for the application.
        """
        if self._headers is None:
            found = [(key[5:].replace("_", "-"), value) for key, value in self._environ.items()
                     if key.startswith("HTTP_")]
            found += [(key.replace("_", "-"), self._environ[key]) for key in ("CONTENT_TYPE", "CONTENT_LENGTH")
                      if key in self._environ]
            self._headers, self._given = found, list(found)
        return self._headers

    def pass_on(self, environ):
        """Give the application the headers and the scheme as pre_request has left them."""
        if self.scheme != environ["wsgi.url_scheme"]:
            environ["wsgi.url_scheme"] = str(self.scheme)
        if self._headers == self._given:
            return
        for name, _ in self._given:
            environ.pop(_variable(name), None)
        found = {}
        for name, value in self._headers:
            found.setdefault(_variable(name), []).append(str(value))
        environ.update((key, ("; " if key == "HTTP_COOKIE" else ",").join(found[key])) for key in found)

    def should_close(self):
        """Whether the client asked for the end of the connection."""
        connection = self._environ.get("HTTP_CONNECTION", "").lower()
        return connection == "close" or self.version < (1, 1) and connection != "keep-alive"


def _variable(name):
    """The key of a header in environ."""
    key = name.upper().replace("-", "_")
    return key if name.upper() in ("CONTENT-TYPE", "CONTENT-LENGTH") else "HTTP_" + key


class Response:
    """A response as gunicorn's hooks know it.

    status is "200 OK", None where the application never gave one.  headers are those that were sent.  sent is the
    number of bytes of the body.
    """

    def __init__(self, request, head, sent, committed, failed):
        self.req = request
        self.sent = sent
        self.headers_sent = committed
        self.status = None
        self.headers = []
        if failed and not committed:
            self.status = "500 Internal Server Error"  # what the client gets instead
        elif head:
            lines = head.decode("latin-1").split("\r\n")
            self.status = lines[0].partition(" ")[2]
            for line in lines[1:]:
                name, colon, value = line.partition(":")
                if colon:
                    self.headers.append((name, value.strip()))
        self.version = (1, 1)

    @property
    def status_code(self):
        """The status as a number, or None."""
        return int(self.status[:3]) if self.status else None

    @property
    def response_length(self):
        """The Content-Length as a number, or None."""
        for name, value in self.headers:
            if name.lower() == "content-length":
                return int(value)
        return None

    @property
    def chunked(self):
        """Whether the body was sent in chunks."""
        return any(name.lower() == "transfer-encoding" for name, _ in self.headers)


def before(environ):
    """C calls it before the application, in the request's thread.  What it returns comes back to after."""
    request = Request(environ)
    hooks.call("pre_request", worker.log, worker, request)
    try:
        request.pass_on(environ)
    except Exception:  # the hook has made something of them that is no list of pairs
        worker.log.exception("pre_request has left headers that cannot be used")
    return request


def after(request, environ, head, sent, committed, failed):
    """C calls it when the response has been sent, however the request ended."""
    response = Response(request, head, sent, committed, failed)
    hooks.call("post_request", worker.log, worker, request, environ, response)
