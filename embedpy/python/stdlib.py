"""The part of the standard library that workers share although each imports the application itself."""

import importlib

# What gunicorn has loaded before it imports an application, and what Django and Flask both load from the standard
# library.  Never ssl, nor what imports it (asyncio, http.client, urllib.request): libraries that patch sockets
# (gevent.monkey) must come before it.
SHARED = """
    argparse ast base64 bisect bz2 calendar concurrent.futures contextlib contextvars copy csv dataclasses datetime
    decimal difflib email.charset email.encoders email.errors email.generator email.header email.headerregistry
    email.message email.mime.text email.parser email.policy email.utils enum fnmatch functools gettext glob grp gzip
    hashlib heapq hmac html.parser http.cookies importlib.metadata inspect ipaddress locale logging.config
    logging.handlers lzma mimetypes numbers operator pathlib pickle pkgutil platform pprint pwd queue quopri random
    secrets shlex shutil socketserver string subprocess tempfile textwrap typing unicodedata urllib.parse uuid
    weakref zipfile zlib
""".split()


def share():
    """Import what most applications need, before the fork: it is loaded once, and its memory is shared."""
    for name in SHARED:
        try:
            importlib.import_module(name)
        except ImportError:
            pass  # a Python built without it (bz2, lzma); the application will say so if it matters
