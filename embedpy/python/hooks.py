"""The server hooks of gunicorn: which there are, how they are found and called.

The hooks of the master run in the forkserver, the others in the worker.  An exception is written to the log with the
hook's name; what it means for the server is up to the caller.
"""

import importlib
import inspect
import threading

import _pyhost_loader as loader

# The number of positional arguments, as in gunicorn.  post_request may leave out the last one or two.
ARITY = {
    "on_starting": 1, "on_reload": 1, "when_ready": 1, "pre_fork": 2, "post_fork": 2, "post_worker_init": 1,
    "worker_int": 1, "worker_abort": 1, "pre_exec": 1, "pre_request": 2, "post_request": 4, "child_exit": 2,
    "worker_exit": 2, "nworkers_changed": 3, "on_exit": 1,
}

EXIT_CONFIG = 1

functions = {}  # by name: those that are set, ready to be called

_positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def describe(name, value):
    """What the master is told of a hook: its dotted name, or a mark for an object that stays here.  None is no hook."""
    if value is None or isinstance(value, str):
        return value
    check(name, value)
    return "<%s()>" % getattr(value, "__qualname__", type(value).__name__)


def check(name, function):
    """The function, with the arguments that the hook is called with; raises LoadFailure where it cannot take them."""
    if not callable(function):
        raise _refusal(name, "it is not callable: %r" % (function,))
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return function  # a builtin without a signature
    count = sum(1 for parameter in parameters if parameter.kind in _positional)
    if name == "post_request" and count in (2, 3):
        return lambda *args: function(*args[:count])
    if count != ARITY[name] and not any(p.kind == inspect.Parameter.VAR_POSITIONAL for p in parameters):
        raise _refusal(name, "it must take %d arguments, not %d" % (ARITY[name], count))
    return function


def load(config, values):
    """Collect the hooks that config (the settings) names, from the config file's values or by their dotted names."""
    functions.clear()
    for name in ARITY:
        text = config.get(name)
        if not text:
            continue
        if text.startswith("<") and name not in values:  # out of --print-config
            raise _refusal(name, "%s stands for a function of a Python config file; write MODULE.FUNCTION" % text)
        functions[name] = check(name, values[name] if text.startswith("<") else _import(name, text))


def _import(name, dotted):
    module, _, attribute = dotted.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise _refusal(name, "cannot import %r: %s" % (dotted, error))


def _refusal(name, problem):
    return loader.LoadFailure(EXIT_CONFIG, "Invalid value for %s: %s" % (name, problem), "")


def call(name, log, *args):
    """Run a hook, if there is one.  Returns None, or the exception that it raised, which is in the log by then."""
    function = functions.get(name)
    if function is None:
        return None
    try:
        function(*args)
    except BaseException as error:  # also SystemExit: a hook must not end a process that serves
        log.exception("Exception in %s hook", name)
        return error
    return None


class Caller(threading.Thread):
    """The thread that runs worker-side hooks while the main thread may be busy: worker_int, worker_abort, worker_exit.

    It waits for names on the note socket, and answers when the hook is done.
    """

    def __init__(self, notes, run):
        super().__init__(name="pyhost_hooks", daemon=True)
        self.notes = notes
        self.call = run

    def run(self):
        """Until the worker ends."""
        while True:
            name = self.notes.receive()
            if not name:
                return
            self.call(name)
            self.notes.send({"note": "done", "hook": name})
