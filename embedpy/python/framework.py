"""Which framework an application imports, found without importing anything: share_imports = "auto".

The framework may be imported before the fork if the application imports it before anything that could matter to it, an
agent or a change of sys.path.  Whatever is not understood counts as such a thing.
"""

import ast
import os
import sys
import warnings
from importlib.machinery import PathFinder
from importlib.util import resolve_name

import _pyhost_loader as loader
import _pyhost_stdlib as stdlib

# What applications import first of their framework.  None of it looks at settings, and all is what the application
# would import in the same order.
FRAMEWORKS = ("django.core.wsgi", "flask")

# Agents that change modules as these are imported: they have to be there first, wherever they are started.
AGENTS = "appdynamics ddtrace elasticapm instana newrelic opentelemetry scout_apm".split()

# Hooks that run before a worker imports the application.
HOOKS = ("when_ready", "pre_fork", "post_fork")


class Unclear(Exception):
    """Why it is not certain what the application's import of a framework gives."""


def choose(config):
    """The module of a framework that the application imports first, and stdlib.own_path(); or Unclear."""
    own = stdlib.own_path()
    if own is None:
        raise Unclear("sys.path is without it")
    for name in HOOKS:
        if config.get(name):
            raise Unclear("the hook %s comes before the application" % name)
    if config.get("user") or config.get("group"):  # what these may write, the master's user shall not run
        raise Unclear("workers run as another user")
    if "ASGI_THREADS" in os.environ:  # makes asgiref, until 3.4, open an event loop as it is imported
        raise Unclear("ASGI_THREADS is set")
    for name in stdlib.PATCHERS + AGENTS:
        if stdlib.installed(name):
            raise Unclear("%s is installed, which may have to come first" % name)
    try:
        module = loader.parse(config["wsgi_app"])[0]
    except loader.AppImportError:
        module = ""
    if module in ("", "script", "paste"):
        raise Unclear("the application is not named by a module")
    try:
        found = _Reader(module, own).follow(module)
    except RecursionError:
        raise Unclear("its modules import each other in too long a chain") from None
    if found is None:
        raise Unclear("%s does not import %s" % (module, " or ".join(FRAMEWORKS)))
    root = found.partition(".")[0]
    if root in sys.modules:
        raise Unclear("%s is imported before" % root)
    if PathFinder.find_spec(root, own) is not None:
        raise Unclear("%s is not where libraries are installed" % root)
    return found, own


class _Reader:
    """Follows the imports of the application's own files, in the order in which they would be executed."""

    def __init__(self, module, own):
        self._root = module.partition(".")[0]
        self._own = own
        self._read = set()

    def follow(self, name):
        """The first import of a framework that comes with importing the module; None if none does."""
        path = None  # that is sys.path
        parts = name.split(".")
        for count, part in enumerate(parts, 1):
            package = ".".join(parts[:count])
            # By its last part: for a namespace package within another one the full name asks for that in sys.modules.
            spec = PathFinder.find_spec(part, path)
            if spec is None:
                return None  # it is a name that the package defines
            if package not in self._read:
                self._read.add(package)
                found = self._file(package, spec)
                if found is not None:
                    return found
            if spec.submodule_search_locations is None:
                return None
            path = list(spec.submodule_search_locations)
        return None

    def _file(self, module, spec):
        if spec.loader is None:  # a directory without __init__.py
            return None
        try:
            source = spec.loader.get_source(spec.name)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the worker gives them, with the name of the file
                statements = ast.parse(source).body
        except Exception:  # compiled, or wrong: then the worker will tell what is
            raise Unclear("%s cannot be read" % module) from None
        package = module if spec.submodule_search_locations is not None else module.rpartition(".")[0]
        for statement in statements:
            for name in _imports(statement, module, package, spec.origin):
                found = self._import(name)
                if found is not None:
                    return found
        return None

    def _import(self, name):
        for framework in FRAMEWORKS:
            if (name + ".").startswith(framework + "."):
                return framework
            if framework.startswith(name + "."):
                return None  # a package on the way to it
        root = name.partition(".")[0]
        own = PathFinder.find_spec(root, self._own)
        if root == self._root or own is not None and own.loader is not None:
            return self.follow(name)
        spec = PathFinder.find_spec(root)
        if root in sys.builtin_module_names or spec is not None and spec.origin and stdlib.standard(spec.origin):
            return None
        raise Unclear("%s is imported before" % root)


def _imports(statement, module, package, file):
    """The modules that a statement may import; none if it does nothing of importance, else Unclear."""
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    if isinstance(statement, ast.ImportFrom):
        try:
            base = resolve_name("." * statement.level + (statement.module or ""), package)
        except (ImportError, ValueError):
            raise Unclear("%s has an import from outside of its package" % module) from None
        return [base] + ["%s.%s" % (base, alias.name) for alias in statement.names if alias.name != "*"]
    if not _harmless(statement):
        raise Unclear("line %d of %s comes before" % (statement.lineno, file))
    return []


def _harmless(statement):
    """Whether a statement calls nothing, and sets nothing but names and the framework's variables."""
    parts = [getattr(statement, "value", None)]
    if isinstance(statement, ast.Assign):
        if not all(isinstance(target, ast.Name) or _variable(target, target) for target in statement.targets):
            return False
    elif not isinstance(statement, ast.Expr):
        return False
    elif isinstance(parts[0], ast.Call) and parts[0].args and _variable(parts[0].func, parts[0].args[0]):
        parts = parts[0].args  # os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site.settings")
    return not any(isinstance(node, ast.Call) for part in parts for node in ast.walk(part))


def _variable(node, name):
    """Whether node is os.environ[...] or a method of os.environ, and name has the name of a framework's variable."""
    environ = getattr(node, "value", None)
    names = [each.value for each in ast.walk(name) if isinstance(each, ast.Constant)]
    return (isinstance(environ, ast.Attribute) and environ.attr == "environ" and isinstance(environ.value, ast.Name)
            and environ.value.id == "os" and str(names[0] if names else "").startswith(("DJANGO_", "FLASK_")))
