"""Runs a script that serves an application: ``-c script:PATH``, which is what ``pyhost.run`` in the script makes of it.

The script is run in the fork server, as ``__main__``, until it comes to pyhost.run() or to the run() of a custom
application.  What it serves and the settings that it gives are noted then, and the rest of it is never run.
"""

import json
import os
import sys
import types

import _pyhost_loader as loader

ARGUMENTS = "_PYHOST_SCRIPT"  # a variable: JSON with the script's argv, and its name where it was started with -m
EXIT_CONFIG = 1

names = frozenset()   # the settings that there are
_running = False
_application = None   # a function that returns the callable, or its MODULE:NAME


class _Captured(BaseException):
    """Ends the script, through every ``except Exception``."""

    def __init__(self, settings):
        super().__init__("the script has come to its application")
        self.settings = settings


def capture(application, settings):
    """Note what the script serves, and end it."""
    global _application
    if not _running:
        raise RuntimeError("the server runs already: run() belongs behind `if __name__ == \"__main__\":`")
    _application = application
    raise _Captured(dict(settings))


def execute(path, known):
    """Run the script; return the settings that it gives, with wsgi_app.  Its exceptions pass."""
    global names, _running
    names = frozenset(known)
    path = os.path.abspath(path)
    started = json.loads(os.environ.pop(ARGUMENTS, "") or "{}")
    sys.argv = [path] + list(started.get("argv") or [])[1:]
    module = types.ModuleType("__main__")
    module.__file__ = path
    if started.get("module"):
        module.__package__ = started["module"].rpartition(".")[0]
    else:
        sys.path.insert(0, os.path.dirname(path))
    sys.modules["__main__"] = module
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    _running = True
    try:
        exec(code, module.__dict__)
    except _Captured as captured:
        settings = captured.settings
    else:
        raise loader.LoadFailure(EXIT_CONFIG, "%s ended without pyhost.run(): it serves no application" % path, "")
    finally:
        _running = False
    unknown = sorted(set(settings) - names - set(_hook_names()))
    if unknown:
        raise loader.LoadFailure(EXIT_CONFIG, "%s: run() got %r, which is no setting" % (path, unknown[0]), "")
    settings["wsgi_app"] = _application if isinstance(_application, str) else "script:" + path
    return settings


def _hook_names():
    import _pyhost_hooks as hooks
    return hooks.ARITY


def application():
    """The callable of the script; whatever its load() raises passes."""
    return _application()


class Config:
    """cfg of a custom application, before the server knows it: the settings that load_config() makes."""

    def __init__(self):
        self.__dict__["settings"] = dict.fromkeys(sorted(names | set(_hook_names())))
        self.__dict__["given"] = {}

    def set(self, name, value):
        """Set a setting by its name."""
        if name not in self.settings:
            raise AttributeError("No configuration setting for: %s" % name)
        self.settings[name] = self.given[name] = value

    def __getattr__(self, name):
        if name not in self.settings:
            raise AttributeError("No configuration setting for: %s" % name)
        return self.settings[name]

    def __setattr__(self, name, value):
        self.set(name, value)


class BaseApplication:
    """gunicorn.app.base.BaseApplication: subclasses have load_config(), which sets self.cfg, and load()."""

    def __init__(self, usage=None, prog=None):
        self.usage, self.prog = usage, prog
        self.cfg = self.callable = None
        self.do_load_config()

    def do_load_config(self):
        """Make cfg and have the subclass fill it."""
        self.load_default_config()
        self.load_config()

    def load_default_config(self):
        """Make an empty cfg."""
        self.cfg = Config()

    def init(self, parser, opts, args):
        """For subclasses."""
        raise NotImplementedError

    def load_config(self):
        """For subclasses: self.cfg.set(name, value)."""
        raise NotImplementedError

    def load(self):
        """For subclasses: return the WSGI callable.  It is called in each worker, or once with preload_app."""
        raise NotImplementedError

    def reload(self):
        """Read the configuration again; a reload of the server runs the whole script again instead."""
        self.do_load_config()

    def wsgi(self):
        """The callable."""
        if self.callable is None:
            self.callable = self.load()
        return self.callable

    def run(self):
        """Serve it."""
        capture(self.wsgi, self.cfg.given)


class WSGIApplication(BaseApplication):
    """gunicorn.app.wsgiapp.WSGIApplication: subclasses have load() or load_wsgiapp(), or set app_uri, MODULE:NAME."""

    app_uri = None

    def load_config(self):
        """Nothing: the command line and the configuration are the server's, and win over what a subclass sets."""

    def load_wsgiapp(self):
        """The callable that app_uri names."""
        return loader._find(self.app_uri or "")

    def load(self):
        """The callable."""
        return self.load_wsgiapp()
