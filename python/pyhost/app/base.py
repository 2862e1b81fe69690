"""The base of custom applications, with gunicorn's interface: one word of a script is another one."""

import pyhost


class _Settings(dict):
    """All settings, as far as a script asks: which there are is the server's to say, when it runs the script again."""

    def __contains__(self, name):
        return True


class Config:
    """What load_config() fills; the server does the same with the real one."""

    def __init__(self):
        self.__dict__["settings"] = _Settings()

    def set(self, name, value):
        """Set a setting by its name."""
        self.settings[name] = value

    def __getattr__(self, name):
        return self.settings.get(name)

    def __setattr__(self, name, value):
        self.set(name, value)


class BaseApplication:
    """An application that brings its configuration along.

    Subclasses have load_config(), which calls self.cfg.set(name, value), and load(), which returns the WSGI callable.
    """

    def __init__(self, usage=None, prog=None):
        self.usage, self.prog = usage, prog
        self.cfg = self.callable = None
        self.do_load_config()

    def do_load_config(self):
        """Make cfg and have the subclass fill it."""
        self.cfg = Config()
        self.load_config()

    def load_config(self):
        """For subclasses."""
        raise NotImplementedError

    def load(self):
        """For subclasses."""
        raise NotImplementedError

    def wsgi(self):
        """The callable."""
        if self.callable is None:
            self.callable = self.load()
        return self.callable

    def run(self):
        """Serve it: pyhost.run."""
        pyhost.run(self.wsgi)
