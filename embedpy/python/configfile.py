"""Evaluates a Python config file: gunicorn's PATH, file:PATH and python:MODULE, and script:PATH.

It runs in the forkserver, before anything else of the generation.  Values go to the master as JSON; what is no JSON, a
hook or a logger class, stays here, and the workers inherit it.
"""

import fcntl
import importlib
import importlib.machinery
import importlib.util
import os
import sys
import traceback
import types

import _pyhost_loader as loader
import _pyhost_hooks as hooks

EXIT_CONFIG = 1  # gunicorn's exit code for a configuration that it cannot use

values = {}  # everything that the file defined, as Python objects


class _FreshLoader(importlib.machinery.SourceFileLoader):
    """Reads the source each time: a cached bytecode file is taken for fresh after an edit within the same second."""

    def get_code(self, fullname):
        """The code of the file as it is now."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def evaluate(spec, directory, names, argv):
    """Execute the file that spec names, and return ({setting: value for JSON}, [other names], [warnings]).

    directory is where the master was started: relative names begin there, and it comes first in sys.path, as in
    gunicorn.  names are the settings that there are.  Raises loader.LoadFailure with the file's own traceback.
    """
    os.chdir(directory)
    if directory not in sys.path:
        sys.path.insert(0, directory)
    sys.argv = list(argv) or ["pyhost"]
    warnings = []
    known = set(names)
    values.update(_execute(spec, warnings, known))
    settings = {name: _setting(name, value) for name, value in values.items() if name in known}
    others = [name for name, value in values.items() if name not in known and _may_be_setting(name, value)]
    return settings, others, warnings


def _execute(spec, warnings, known):
    kind, _, rest = spec.partition(":")
    try:
        if kind == "script":
            import _pyhost_script as script
            import _pyhost_standin as standin
            standin.hide_base()
            return script.execute(rest, known)
        if kind == "python":
            return vars(importlib.import_module(rest))
        return _run_file(rest if kind == "file" else spec, warnings)
    except loader.LoadFailure:
        raise
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else EXIT_CONFIG
        raise loader.LoadFailure(code, "the config file %s called sys.exit(%r)" % (spec, error.code), "")
    except BaseException as error:
        raise loader.LoadFailure(EXIT_CONFIG, "Failed to read config file: %s" % spec, own_traceback(error))


def _run_file(path, warnings):
    if not os.path.exists(path):
        raise loader.LoadFailure(EXIT_CONFIG, "the config file %s does not exist" % path, "")
    if os.path.splitext(path)[1] == ".pyc":
        spec = importlib.util.spec_from_file_location("__config__", path)
    else:
        if os.path.splitext(path)[1] != ".py":
            warnings.append("%s: a Python config file should have the extension .py" % path)
        source = _FreshLoader("__config__", os.path.abspath(path))
        spec = importlib.util.spec_from_file_location("__config__", path, loader=source)
    module = importlib.util.module_from_spec(spec)
    sys.modules["__config__"] = module
    spec.loader.exec_module(module)
    return vars(module)


def own_traceback(error):
    """The traceback of an exception without the frames of the server and of the import machinery above the file's."""
    trace = error.__traceback__
    ours = ("<pyhost", "<frozen ", importlib.__file__)
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(ours):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))


def _may_be_setting(name, value):
    """Whether a name that is no setting may be a slip for one: helpers of other kinds are normal."""
    return not (name.startswith("_") or isinstance(value, (types.ModuleType, types.FunctionType, type)))


def _setting(name, value):
    if name in hooks.ARITY:
        return hooks.describe(name, value)
    try:
        return plain(value)
    except TypeError as error:
        raise loader.LoadFailure(EXIT_CONFIG, "Invalid value for %s: %s" % (name, error), "")


def plain(value):
    """The value as JSON can say it.  Classes and functions become their dotted names."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        # IntEnum (ssl.CERT_REQUIRED) is an int that JSON writes as one
        return int(value) if isinstance(value, int) else value
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, dict):
        return {str(key): _inner(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [_inner(item) for item in items]
    if callable(value) and hasattr(value, "__qualname__"):
        return "%s.%s" % (value.__module__, value.__qualname__)
    raise TypeError("an object of type %s is no value for a setting" % type(value).__name__)


def _inner(value):
    """A value inside a list or dict.  logconfig_dict may hold any object there; the object itself stays in values."""
    try:
        return plain(value)
    except TypeError:
        return repr(value)


class EndWithMaster:
    """While it is entered, the end of the master ends this process, whatever the config file waits for."""

    def __init__(self, control):
        self.control = control

    def __enter__(self):
        # SIGIO comes when the socket can be read, which now means its end; by default it ends the process.
        fcntl.fcntl(self.control, fcntl.F_SETOWN, os.getpid())
        self.flags = fcntl.fcntl(self.control, fcntl.F_GETFL)
        fcntl.fcntl(self.control, fcntl.F_SETFL, self.flags | os.O_ASYNC)

    def __exit__(self, *exception):
        fcntl.fcntl(self.control, fcntl.F_SETFL, self.flags)
