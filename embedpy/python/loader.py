"""Finds the application: ``module``, ``module:attribute``, ``module:factory(arguments)``."""

import ast
import gc
import importlib
import os
import sys
import threading
import traceback

SERVER_SOFTWARE = "pyhost"  # with the version, set by the server when it installs this module
EXIT_BOOT_ERROR = 3  # gunicorn's WORKER_BOOT_ERROR: the import raised
EXIT_APP_LOAD = 4    # gunicorn's APP_LOAD_ERROR: it imported, but there is no application in it

FREE_THREADED = "free-threading build" in sys.version


looked_in = []  # what chdir and pythonpath have put into sys.path
paste_global = {}  # the setting raw_paste_global_conf


class AppImportError(Exception):
    """The module is there, the application in it is not."""

    __module__ = "pyhost"  # as tracebacks show it


class LoadFailure(Exception):
    """Why an application does not load, ready for the log: exit code, one-line cause, traceback text."""

    def __init__(self, code, cause, trace):
        super().__init__(cause)
        self.code = code
        self.cause = _printable(cause)
        self.trace = _printable(trace)


def _printable(text):
    """The text with escapes for what has no UTF-8 form: undecodable file names bring lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def parse(spec):
    """Split ``module:expression`` into (module, attribute, positional, keyword) as gunicorn's app spec does."""
    module, _, expression = spec.partition(":")
    expression = expression or "application"
    try:
        node = ast.parse(expression, mode="eval").body
    except SyntaxError:
        raise AppImportError("Failed to parse %r as an attribute name or function call." % expression) from None
    if isinstance(node, ast.Call):
        name, positional, keyword = _dotted(node.func), node.args, node.keywords
        try:
            args = [ast.literal_eval(arg) for arg in positional]
            kwargs = {kw.arg: ast.literal_eval(kw.value) for kw in keyword}
        except ValueError:
            raise AppImportError("Failed to parse arguments as literal values: %r" % expression) from None
        if None in kwargs or name is None:
            raise AppImportError("Function reference must be a simple name: %r" % expression)
        return module, name, args, kwargs
    name = _dotted(node)
    if name is None:
        raise AppImportError("Failed to parse %r as an attribute name or function call." % expression)
    return module, name, None, None


def _dotted(node):
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        left = _dotted(node.value)
        return left and left + "." + node.attr
    return None


def _import(module, expression="application"):
    try:
        return importlib.import_module(module)
    except ImportError:
        if module.endswith(".py") and os.path.exists(module):
            raise AppImportError(
                "Failed to find application: %r is a file; did you mean '%s:%s'?"
                % (module, os.path.splitext(module)[0].replace("/", "."), expression)
            ) from None
        raise


def _find(spec):
    if spec.startswith("script:"):
        import _pyhost_script as script
        return _checked(script.application(), spec)
    if spec.startswith("paste:"):
        return _checked(_load_paste(spec[len("paste:"):]), spec)
    module, name, args, kwargs = parse(spec)
    found = _import(module, spec.partition(":")[2] or "application")
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            hint = _hint(_import(module))
            raise AppImportError("Failed to find attribute %r in %r.%s" % (name, module, hint)) from None
    if args is not None:
        try:
            found = found(*args, **kwargs)
        except TypeError as error:
            # A wrong signature is the caller's mistake; a TypeError from inside the factory is the factory's.
            if error.__traceback__.tb_next is None:
                raise AppImportError("Calling %r failed: %s" % (spec, error)) from None
            raise
    return _checked(found, spec)


def _load_paste(uri):
    """The application of a PasteDeploy file, PATH or PATH#NAME (the setting paste)."""
    try:
        from paste.deploy import loadapp
    except ImportError as error:
        if error.name not in ("paste", "paste.deploy"):
            raise
        raise AppImportError("--paste needs PasteDeploy, which Python %s of %s does not have: "
                             "%s -m pip install PasteDeploy" % (sys.version.split()[0], sys.prefix, sys.executable))
    return loadapp("config:" + uri, relative_to=os.getcwd(), global_conf=dict(paste_global))


def _checked(found, spec):
    if found is None:
        raise AppImportError("Failed to find application object: %r is None." % spec)
    if not callable(found):
        raise AppImportError("Application object must be callable: %r is %s." % (spec, type(found).__name__))
    return found


def load(spec):
    """Import and return the WSGI callable that spec names, or raise LoadFailure."""
    try:
        return _find(spec)
    except AppImportError as error:
        raise LoadFailure(EXIT_APP_LOAD, str(error), trace(error))
    except SystemExit as error:
        cause = "the application called sys.exit(%r) while it was imported" % (error.code,)
        raise LoadFailure(EXIT_BOOT_ERROR, cause, trace(error))
    except BaseException as error:
        cause = describe(error)
        if isinstance(error, ModuleNotFoundError):
            cause += _remedy(error, spec)
        raise LoadFailure(EXIT_BOOT_ERROR, cause, trace(error))


def trace(error):
    """The traceback as text, from the first line that is not ours or the import system's."""
    frames = error.__traceback__
    ours = ("<pyhost ", "<frozen importlib", importlib.__file__)
    while frames and frames.tb_frame.f_code.co_filename.startswith(ours):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))


def _remedy(error, spec):
    """What to do about a module that is not found: the application's own, or one that it needs."""
    where = "Python %s of %s" % (sys.version.split()[0], sys.prefix)
    module = spec.partition(":")[0]
    if error.name and (module + ".").startswith(error.name + "."):
        ours = ", ".join(map(repr, looked_in or sys.path[:1]))
        return " (looked in %s and in %s; --chdir or --pythonpath says where it is)" % (ours, where)
    if sys.prefix == sys.base_prefix:
        return " (%s, sys.path[0] is %r; no virtual environment is in use: --python /path/to/venv names one)" % (
            where, sys.path[0])
    return " (%s, sys.path[0] is %r; install it there, or name another environment with --python)" % (
        where, sys.path[0])


def _hint(module):
    """What a module has that could be meant for its application."""
    usual = ("application", "app", "api", "wsgi", "create_app", "make_app")
    found = [name for name in usual if callable(getattr(module, name, None))]
    return " Did you mean %s?" % " or ".join("%s:%s" % (module.__name__, name) for name in found) if found else ""


def describe(error):
    """An exception as its class and text, whatever its __str__ does."""
    try:
        text = str(error)
    except BaseException:
        text = "(its text cannot be shown)"
    return "%s: %s" % (type(error).__name__, text)


def prepare(config, argv):
    """Set up the process as gunicorn does before it loads an application: environment, directory, sys.path, argv."""
    for pair in config.get("raw_env") or ():
        name, _, value = pair.partition("=")
        os.environ[name] = value
    paste_global.update(pair.split("=", 1) for pair in config.get("raw_paste_global_conf") or ())
    os.environ["SERVER_SOFTWARE"] = SERVER_SOFTWARE
    directory = config.get("chdir") or os.getcwd()
    os.chdir(directory)
    _put_first(os.getcwd())
    looked_in[:] = sys.path[:1]
    for path in filter(None, (config.get("pythonpath") or "").split(",")):
        path = os.path.abspath(path)
        if path not in sys.path:  # each goes before those that are there, the last one first of all, as in gunicorn
            sys.path.insert(0, path)
            looked_in.insert(0, path)
    if "_pyhost_script" not in sys.modules:  # a script has its own
        sys.argv = list(argv) or ["pyhost"]


def settle():
    """Take what was imported out of the collector's sight, after a last look at the younger generations.

    Of the oldest one CPython itself has seen most in the import: another look would take a tenth of its time.
    """
    gc.collect(1)
    freeze()


def freeze():
    """Take all objects out of the collector's sight.

    They stay for the life of the process: looking at them again and again costs time, and copies pages that are shared.
    """
    if FREE_THREADED:
        # With the second thread CPython 3.13 makes functions, classes and modules immortal, so that threads do not
        # compete for their reference counts.  It passes over what is frozen: that thread has to come first.
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
    gc.freeze()


def _put_first(path):
    if path in sys.path:
        sys.path.remove(path)
    sys.path.insert(0, path)
