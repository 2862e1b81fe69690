"""A stand-in for the modules of gunicorn that its users' code imports, for environments without gunicorn.

It comes last in sys.meta_path: an installed gunicorn is not hidden, but for its classes of custom applications, which a
script that pyhost runs must not find: they would start another server.
"""

import sys
from importlib.machinery import ModuleSpec

BASE = "from _pyhost_script import BaseApplication, WSGIApplication as Application\n"

SOURCES = {
    "gunicorn": "__version__ = '27.0.0'  # the version whose interface this is\n"
                "version_info = (27, 0, 0)\n"
                "from _pyhost_loader import SERVER_SOFTWARE\n",
    "gunicorn.glogging": "import logging\n"
                         "from _pyhost_logs import Atoms as SafeAtoms, DEFAULTS as CONFIG_DEFAULTS, Logger\n",
    "gunicorn.app": "",
    "gunicorn.app.base": BASE,
    "gunicorn.app.wsgiapp": "from _pyhost_script import WSGIApplication\n",
    "pyhost.app": "",
    "pyhost.app.base": BASE,
}
PACKAGES = ("gunicorn", "gunicorn.app", "pyhost.app")


class Finder:
    """Imports the named modules of SOURCES."""

    def __init__(self, names):
        self._names = names

    def find_spec(self, name, path=None, target=None):
        """The module's spec, None for any other."""
        if name in self._names:
            return ModuleSpec(name, self, is_package=name in PACKAGES)
        return None

    def create_module(self, spec):
        """A module of the usual type."""
        return None

    def exec_module(self, module):
        """Fill it."""
        exec(compile(SOURCES[module.__name__], "<pyhost %s>" % module.__name__, "exec"), module.__dict__)


def hide_base():
    """From now on the classes of custom applications are pyhost's, whatever is installed."""
    sys.meta_path.insert(0, Finder(("gunicorn.app.base", "gunicorn.app.wsgiapp", "pyhost.app", "pyhost.app.base")))


sys.meta_path.append(Finder(tuple(SOURCES)))
