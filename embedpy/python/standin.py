"""A stand-in for the modules of gunicorn that its config files import, for environments without gunicorn.

It comes last in sys.meta_path: an installed gunicorn is never hidden.
"""

import sys
from importlib.machinery import ModuleSpec

SOURCES = {
    "gunicorn": "__version__ = '27.0.0'  # the version whose interface this is\n"
                "version_info = (27, 0, 0)\n"
                "from _pyhost_loader import SERVER_SOFTWARE\n",
    "gunicorn.glogging": "import logging\n"
                         "from _pyhost_logs import Atoms as SafeAtoms, DEFAULTS as CONFIG_DEFAULTS, Logger\n",
}


class Finder:
    """Imports what SOURCES has."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """The module's spec, None for any other."""
        if name in SOURCES:
            return ModuleSpec(name, Finder, is_package="." not in name)
        return None

    @staticmethod
    def create_module(spec):
        """A module of the usual type."""
        return None

    @staticmethod
    def exec_module(module):
        """Fill it."""
        exec(compile(SOURCES[module.__name__], "<pyhost %s>" % module.__name__, "exec"), module.__dict__)


sys.meta_path.append(Finder)
