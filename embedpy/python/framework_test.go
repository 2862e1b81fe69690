package python

import "testing"

const frameworkPrelude = `
import contextlib, importlib, loader, stdlib, tempfile, warnings
sys.modules.update(_pyhost_loader=loader, _pyhost_stdlib=stdlib)
import framework
sys.modules["_pyhost_framework"] = framework
for name in "django", "flask":
    assert name not in sys.modules, name

@contextlib.contextmanager
def application(files):
    with tempfile.TemporaryDirectory() as directory:
        for file, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(directory, file)), exist_ok=True)
            with open(os.path.join(directory, file), "wb") as f:
                f.write(text if isinstance(text, bytes) else text.encode())
        sys.path.insert(0, directory)
        importlib.invalidate_caches()
        try:
            yield directory
        finally:
            sys.path.remove(directory)

warnings.simplefilter("error")
agents = set()
stdlib.installed = lambda name: name in agents
`

// applications says of each what is chosen or why nothing is, its files, and what it is called if not site1.wsgi.
const applications = `
STARTPROJECT = '''"""
WSGI config for site1 project.
"""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')

application = get_wsgi_application()
'''
boom = "raise AssertionError('executed')\n"
applications = [
    ("django.core.wsgi", {"site1/__init__.py": "", "site1/wsgi.py": STARTPROJECT}, None),
    ("django.core.wsgi", {"site1/wsgi.py": STARTPROJECT + boom}, None),  # a directory without __init__.py
    ("django.core.wsgi", {"src/site1/wsgi.py": "from .views import x\n" + STARTPROJECT,
                          "src/site1/views.py": "import ast\n"}, "src.site1.wsgi"),
    ("flask", {"site1/__init__.py": "", "site1/web/app.py": "from ..web import x\nimport flask\n"}, "site1.web.app:a"),
    ("flask", {"app.py": "'\\d'\nimport flask\n"}, "app:app"),
    ("django.core.wsgi", {"wsgi.py": STARTPROJECT}, "wsgi"),
    ("django.core.wsgi", {"wsgi.py": STARTPROJECT}, "wsgi:make('x', y=1)"),
    ("django.core.wsgi", {"site1/__init__.py": "__version__ = '1'\nVERSION = (1, 2)\n", "site1/wsgi.py":
        "import os, sys\nos.environ['DJANGO_SETTINGS_MODULE'] = __name__ + '.x'\n"
        "os.environ.setdefault('DJANGO_X', 'a' + 'b')\nimport django\nfrom django.core import wsgi\n"}, None),
    ("flask", {"app.py": "import json\nfrom email.mime.text import MIMEText\nfrom flask import Flask\n"}, "app:a"),
    ("flask", {"app.py": "import flask.cli\n"}, "app:app"),
    ("flask", {"wsgi.py": "from site1 import create\n", "site1/__init__.py": "from .web import views, create\n",
               "site1/web/__init__.py": "from . import views, views\nfrom ..base import *\n",
               "site1/web/views.py": "import site1\nfrom site1.base import Base\n",
               "site1/base.py": "from __future__ import annotations\nimport flask\n" + boom}, "wsgi:create()"),
    ("site1.wsgi does not import django.core.wsgi or flask", {"site1/wsgi.py": "import os\n"}, None),
    ("site1.wsgi does not import django.core.wsgi or flask", {}, None),
    ("newrelic is imported before", {"wsgi.py": "import newrelic.agent\n" + STARTPROJECT}, "wsgi"),
    ("newrelic is imported before",
        {"site1/__init__.py": "from newrelic import agent\n", "site1/wsgi.py": STARTPROJECT}, None),
    ("celery is imported before", {"site1/__init__.py": "from .celery import app\n",
        "site1/celery.py": "import os\nfrom celery import Celery\n", "site1/wsgi.py": STARTPROJECT}, None),
    ("django is imported before", {"wsgi.py": "from django import setup\nfrom django.core.wsgi import x\n"}, "wsgi"),
    ("line 2 of wsgi.py comes before",
        {"wsgi.py": "import sys\nsys.path.insert(0, 'lib')\n" + STARTPROJECT}, "wsgi"),
    ("line 2 of wsgi.py comes before", {"wsgi.py": "import sys\nsys.path += ['lib']\n" + STARTPROJECT}, "wsgi"),
    ("line 2 of wsgi.py comes before", {"wsgi.py": "import sys\nsys.path[0:0] = ['lib']\n" + STARTPROJECT}, "wsgi"),
    ("line 2 of wsgi.py comes before", {"wsgi.py": "import sys\nsys.path = ['lib']\n" + STARTPROJECT}, "wsgi"),
    ("line 2 of wsgi.py comes before",
        {"wsgi.py": "import os\nos.environ['ASGI_THREADS'] = '1'\n" + STARTPROJECT}, "wsgi"),
    ("line 2 of wsgi.py comes before",
        {"wsgi.py": "import os\nos.environ.setdefault('DJANGO_X', patch())\n" + STARTPROJECT}, "wsgi"),
    ("line 1 of wsgi.py comes before", {"wsgi.py": "x = patch()\n" + STARTPROJECT}, "wsgi"),
    ("line 1 of wsgi.py comes before", {"wsgi.py": "if True:\n    import newrelic\n" + STARTPROJECT}, "wsgi"),
    ("line 1 of wsgi.py comes before", {"wsgi.py": "class A:\n    import newrelic\n" + STARTPROJECT}, "wsgi"),
    ("wsgi cannot be read", {"wsgi.py": STARTPROJECT + "$"}, "wsgi"),
    ("wsgi cannot be read", {"wsgi.py": b"\xff" + STARTPROJECT.encode()}, "wsgi"),
    ("wsgi has an import from outside of its package", {"wsgi.py": "from ... import x\n" + STARTPROJECT}, "wsgi"),
    ("flask is not where libraries are installed", {"app.py": "import flask\n", "flask.py": boom}, "app"),
    ("the application is not named by a module", {"app.py": "import flask\n"}, "app:$"),
    ("the application is not named by a module", {"script.py": "import flask\n"}, "script:app.py"),
    ("the application is not named by a module", {"paste.py": "import flask\n"}, "paste:app.ini"),
    ("its modules import each other in too long a chain", dict(
        {"m%d.py" % n: "import m%d\n" % (n + 1) for n in range(999)}, **{"app.py": "import m0, flask\n"}), "app"),
]
`

// Whatever may have to come before the framework, or change what its import gives, keeps it from being shared; and
// nothing of the application is executed to find that out.
func TestFrameworkIsChosen(t *testing.T) {
	python(t, frameworkPrelude+applications+`
def choose(files, app="site1.wsgi:application", **config):
    modules = set(sys.modules)
    with application(files) as directory:
        try:
            found, own = framework.choose(dict(config, wsgi_app=app))
        except framework.Unclear as reason:
            return str(reason).replace(directory + os.sep, "")
        finally:
            executed = {"src", "site1", "wsgi", "app", "django", "flask"} & (set(sys.modules) - modules)
            assert not executed, executed
        assert own[0] == directory
        return found

for wanted, files, app in applications:
    found = choose(files, app or "site1.wsgi:application")
    assert found == wanted, (wanted, found, files)

django = {"wsgi.py": STARTPROJECT}
for name in "pre_fork", "post_fork", "when_ready":
    assert choose(django, "wsgi", **{name: "<function>"}) == "the hook %s comes before the application" % name
assert choose(django, "wsgi", post_worker_init="<function>", user="", group="") == "django.core.wsgi"
assert choose(django, "wsgi", user="nobody") == choose(django, "wsgi", group="1") == "workers run as another user"
for agent in stdlib.PATCHERS + framework.AGENTS:
    agents = {agent}
    assert choose(django, "wsgi") == agent + " is installed, which may have to come first"
agents = set()
os.environ["ASGI_THREADS"] = "1"
assert choose(django, "wsgi") == "ASGI_THREADS is set"
del os.environ["ASGI_THREADS"]
sys.modules["django"] = sys
assert choose(django, "wsgi") == "django is imported before"
stdlib.DIRECTORY = "/nowhere"
assert choose(django, "wsgi") == "sys.path is without it"
`, "")
}
