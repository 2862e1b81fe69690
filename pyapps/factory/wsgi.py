"""Makes applications: `wsgi:create()`, `wsgi:create('name', shout=True)`."""


def create(name="default", shout=False):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [(name.upper() if shout else name).encode()]

    return application


def create_nothing():
    return None


class Application:
    """An application that is an instance, and one that is a class (PEP 3333 allows both)."""

    def __call__(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"instance"]


class Response:
    def __init__(self, environ, start_response):
        self.start_response = start_response

    def __iter__(self):
        self.start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"class"


instance = Application()


class registry:
    """A namespace: `wsgi:registry.web.app`."""

    class web:
        app = instance
        make = staticmethod(create)
