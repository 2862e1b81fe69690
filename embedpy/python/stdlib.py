"""The part of the standard library that workers share although each imports the application itself."""

import importlib
import os
import sys
from importlib.machinery import PathFinder

# What gunicorn has loaded before it imports an application, and what Django and Flask both load from the standard
# library.
SHARED = """
    argparse ast base64 bisect bz2 calendar concurrent.futures contextlib contextvars copy csv dataclasses datetime
    decimal difflib email.charset email.encoders email.errors email.generator email.header email.headerregistry
    email.message email.mime.text email.parser email.policy email.utils enum fnmatch functools gettext glob grp gzip
    hashlib heapq hmac html.parser http.cookies importlib.metadata inspect ipaddress locale logging.config
    logging.handlers lzma mimetypes numbers operator pathlib pickle pkgutil platform pprint pwd queue quopri random
    secrets shlex shutil socketserver string subprocess tempfile textwrap typing unicodedata urllib.parse uuid
    weakref zipfile zlib
""".split()

# Every framework loads ssl, Django and Falcon also asyncio, which is as much as a fifth of Django.
NETWORK = "ssl http.client asyncio".split()

# Libraries that replace sockets must come before ssl and what imports it: see gevent.monkey.patch_ssl.
PATCHERS = "gevent eventlet".split()

DIRECTORY = os.path.dirname(os.__file__)


def share():
    """Import what most applications need, before the fork: it is loaded once, and its memory is shared.

    Only the standard library's own modules are imported, and the application's of the same name win later.
    """
    own = own_path()
    if own is not None:
        load(SHARED if any(map(installed, PATCHERS)) else SHARED + NETWORK, own)


def own_path():
    """What comes before the standard library in sys.path, the application's; None where the library is elsewhere."""
    return sys.path[:sys.path.index(DIRECTORY)] if DIRECTORY in sys.path else None


def load(names, own):
    """Import modules, none of them from own, the beginning of sys.path; those that raise are left out.

    Returns (the names of all modules that are new, whether own has some of them too).  The latter are forgotten.
    """
    before = set(sys.modules)
    sys.path[:len(own)] = []
    try:
        for name in names:
            try:
                importlib.import_module(name)
            except Exception:
                pass  # a Python built without it (bz2, lzma); the application will say so if it matters
    finally:
        sys.path[:0] = own
    return _forget_shadowed(set(sys.modules) - before, own)


def installed(name):
    """Whether there is such a module in sys.path."""
    return PathFinder.find_spec(name) is not None


def standard(file):
    """Whether a module's file is the standard library's; None, which built-in modules have, is."""
    return file is None or file.startswith(DIRECTORY + os.sep) and "-packages" + os.sep not in file[len(DIRECTORY):]


def _forget_shadowed(names, path):
    """Take those of the modules out of sys.modules for which there is another one in path.

    A directory without __init__.py comes after modules: its spec has no loader.
    """
    specs = {root: PathFinder.find_spec(root, path) for root in {name.partition(".")[0] for name in names}}
    shadowed = {root for root, spec in specs.items() if spec is not None and spec.loader is not None}
    kept = {name for name in names if name.partition(".")[0] not in shadowed}
    for name in names - kept:
        del sys.modules[name]
    return kept, bool(shadowed)
