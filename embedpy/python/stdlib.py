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


def share():
    """Import what most applications need, before the fork: it is loaded once, and its memory is shared.

    Only the standard library's own modules are imported, and the application's of the same name win later.
    """
    standard = os.path.dirname(os.__file__)
    if standard not in sys.path:
        return
    names = SHARED if any(map(_installed, PATCHERS)) else SHARED + NETWORK
    before = set(sys.modules)
    first = sys.path.index(standard)
    own, sys.path[:first] = sys.path[:first], []
    try:
        for name in names:
            try:
                importlib.import_module(name)
            except ImportError:
                pass  # a Python built without it (bz2, lzma); the application will say so if it matters
    finally:
        sys.path[:0] = own
    _forget_shadowed(set(sys.modules) - before, own)


def _installed(name):
    return PathFinder.find_spec(name) is not None


def _forget_shadowed(names, path):
    """Take those of the modules out of sys.modules for which there is another one in path.

    A directory without __init__.py comes after modules: its spec has no loader.
    """
    roots = {name.partition(".")[0] for name in names}
    specs = {root: PathFinder.find_spec(root, path) for root in roots}
    for name in names:
        spec = specs[name.partition(".")[0]]
        if spec is not None and spec.loader is not None:
            del sys.modules[name]
