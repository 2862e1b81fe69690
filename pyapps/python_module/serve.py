"""A script that serves: with pyhost.run, or as a custom application of gunicorn's.

The first argument says how; the others are settings, NAME=VALUE.
"""
import os
import sys

import pyhost

if os.environ.get("BASE") == "gunicorn":
    from gunicorn.app.base import BaseApplication
else:
    from pyhost.app.base import BaseApplication


def hello(environ, start_response):
    """Tell who runs it."""
    text = "%s %s %s\n" % (__name__, pyhost.is_pyhost, " ".join(sys.argv[1:2]))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]


class Custom(BaseApplication):
    """As in gunicorn's documentation, in other words."""

    def __init__(self, application, options=None):
        self.options = options or {}
        self.application = application
        super().__init__()

    def load_config(self):
        """Take those options that are settings."""
        for name, value in self.options.items():
            if name in self.cfg.settings and value is not None:
                self.cfg.set(name.lower(), value)

    def load(self):
        """What is served."""
        return self.application


def post_fork(server, worker):
    """A hook that is a function."""
    server.log.info("forked with a timeout of %d", server.cfg.timeout)


def main():
    """Everything but the definitions: nothing below is needed when the script is imported."""
    settings = dict(pair.split("=", 1) for pair in sys.argv[2:])
    settings["post_fork"] = post_fork
    if sys.argv[1] == "run":
        pyhost.run(hello, **settings)
    elif sys.argv[1] == "name":
        pyhost.run("serve:hello", **settings)
    elif sys.argv[1] == "custom":
        Custom(hello, settings).run()


if __name__ == "__main__":
    main()
