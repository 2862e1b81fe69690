"""The Python half of a worker: imports the application, makes the environ templates, starts the threads."""

import atexit
import faulthandler
import io
import json
import os
import re
import signal
import sys
import threading
import time
import traceback
import types

import _pyhost
import _pyhost_forkserver as forkserver
import _pyhost_loader as loader
import _pyhost_modules as modules
import _pyhost_notes as notes
import _pyhost_shared as shared
import _pyhost_stdlib as stdlib
import _pyhost_streams as streams

DUMP_SIGNAL = 8  # above SIGRTMIN: no program is likely to use it
OWN_STACK = 0.1  # seconds that a thread has to tell where it was interrupted

number = 0       # of this worker, from 1; see pyhost.worker_id
after_fork = []  # functions of pyhost.postfork
at_exit = []     # functions of pyhost.worker_exit
_ran = set()     # the hooks of the end that have been begun
_interrupted = {}  # thread: when and where it was interrupted; without a GIL
_templates = None  # makes the templates of environ, one per listener
_request_threads = []  # but for the main one


def boot(text, error_fd, wake_fd, note_fd):
    """Load the application and hand everything to the C layer.

    Returns None, or (exit code, cause, traceback) when the application does not load.
    """
    global number, _templates
    worker = json.loads(text)
    config = worker["config"]
    number = worker.get("slot", 0) + 1
    guard_forks()
    trace_crashes(error_fd)
    # A Python signal handler runs on the main thread: the byte wakes it when it waits in the poller.
    signal.set_wakeup_fd(wake_fd, warn_on_full_buffer=False)
    channel = notes.open_channel(note_fd)
    logs = sys.modules.get("_pyhost_logs")
    if logs is not None and logs.logger is not None:  # without one it was imported for gunicorn's class alone
        logs.start()
    elif "_pyhost_errorlog" in sys.modules:
        sys.modules["_pyhost_errorlog"].become_worker(error_fd)
    if config.get("capture_output"):
        import _pyhost_capture as capture
        capture.start(error_fd, config.get("log_format"))
    try:
        def load():
            return import_application(config["wsgi_app"], channel)

        start_hooks(channel, load)
        application = forkserver.preloaded
        if application is None:
            application = load() if forkserver.host is None else forkserver.host.server.app.wsgi()
        refuse_greenlets(config.get("threads"))
        run_after_fork()
        run_boot_hook("post_worker_init", application)
    except loader.LoadFailure as failure:
        if config.get("reload"):
            modules.tell()
        run_worker_exit()
        return failure.code, failure.cause, failure.trace
    if config.get("reload"):
        modules.start()
    guard_signals()

    def _templates():
        return tuple(template(config, each, error_fd) for each in worker["listeners"])

    _pyhost.configure({
        "application": application,
        "templates": _templates(),
        "socket": streams.ClientSocket,
        "bytes_io": io.BytesIO,
        "open_file": streams.open_file,
        "open_stream": streams.open_stream,
        "header_pairs": header_pairs,
        "file_wrapper": streams.FileWrapper if config.get("sendfile") else None,
        "plain_file": streams.plain_file,
        "offload": bool(config.get("sendfile_root")),
        "request_timeout": RequestTimeout,
        "before_request": request_hook("before"),
        "after_request": request_hook("after"),
        "log_environ": environ_of_format(config.get("access_log_format") or ""),
    })
    return None


def import_application(name, channel):
    """The application that name says, imported in this worker; raises LoadFailure."""
    shared.renew(channel.log)
    application = loader.load(name)
    loader.settle()
    shared.check(channel.log)
    return application


class RequestTimeout(BaseException):
    """Raised in a request that has run for longer than the request_timeout setting or pyhost.request_timeout() allows.

    It is no Exception, so that an application's ``except Exception`` does not take it for an error of its own; whoever
    catches it should let it go on.
    """

    def __init__(self, *args):
        super().__init__(*args)
        if loader.FREE_THREADED:  # see own_stack
            _interrupted[threading.get_ident()] = time.monotonic(), formatted(sys._getframe(1))


RequestTimeout.__module__ = "pyhost"


def stack(ident):
    """Where a thread is, most recent call last, as UTF-8.

    Without a GIL it is for one that waits in C: another one's frames change while they are looked at.
    """
    return formatted(sys._current_frames().get(ident)).encode("utf-8", "backslashreplace")


def own_stack(ident):
    """Where a thread was interrupted a moment ago, as RequestTimeout noted it there; empty: it has said nothing."""
    end = time.monotonic() + OWN_STACK
    while time.monotonic() < end:
        noted, text = _interrupted.get(ident, (0, ""))
        if noted > end - 2 * OWN_STACK:
            return text.encode("utf-8", "backslashreplace")
        time.sleep(OWN_STACK / 20)
    return b""


def formatted(frame):
    """The stack that ends with frame, without how its thread came to be."""
    lines = traceback.extract_stack(frame) if frame else []
    while lines and lines[0].filename == threading.__file__:
        del lines[0]
    return "".join(traceback.format_list(lines))


def stacks():
    """Where all Python threads are, but for the one that asks, as UTF-8."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    here = threading.get_ident()
    parts = []
    for ident, frame in sorted(sys._current_frames().items()):
        if ident != here:
            parts.append("Thread %s (most recent call last):\n" % names.get(ident, "0x%x" % ident))
            parts.append(formatted(frame))
    return "".join(parts).encode("utf-8", "backslashreplace")


def start_hooks(channel, load):
    """Turn to the worker's hooks, if there are any, and run post_fork."""
    if forkserver.host is None:
        return
    import _pyhost_hooks as hooks
    forkserver.host.become_worker(forkserver.worker, channel, load)
    run_boot_hook("post_fork", None)
    if any(name in hooks.functions for name in ("worker_int", "worker_abort", "worker_exit")):
        hooks.Caller(channel, run_hook).start()


def refuse_greenlets(threads):
    """Fail where threading starts greenlets: the first request thread would be one, and never let another thing run."""
    start = getattr(threading, "_start_joinable_thread", None) or threading._start_new_thread  # the former since 3.13
    patcher = (getattr(start, "__module__", None) or "").partition(".")[0]
    if (threads or 1) > 1 and patcher in stdlib.PATCHERS:
        cause = ("the application makes greenlets of threads (monkey patching by %s), which cannot serve side by side: "
                 "set --threads 1 and more workers instead, or leave its threads alone" % patcher)
        raise loader.LoadFailure(loader.EXIT_BOOT_ERROR, cause, "")


def run_boot_hook(name, application):
    """Run post_fork or post_worker_init.  As in gunicorn, a worker whose hook fails does not boot."""
    host, worker = forkserver.host, forkserver.worker
    if host is None:
        return
    import _pyhost_hooks as hooks
    worker.wsgi, worker.booted = application, application is not None
    error = hooks.call(name, worker.log, *((host.server, worker) if name == "post_fork" else (worker,)))
    if error is not None:
        cause = "the hook %s failed: %s: %s" % (name, type(error).__name__, error)
        raise loader.LoadFailure(loader.EXIT_BOOT_ERROR, cause, cause)


def run_hook(name):
    """Run worker_int, worker_abort or worker_exit, each of them once."""
    import _pyhost_hooks as hooks
    host, worker = forkserver.host, forkserver.worker
    if name in _ran:
        return
    _ran.add(name)
    worker.aborted = worker.aborted or name == "worker_abort"
    hooks.call(name, worker.log, *((host.server, worker) if name == "worker_exit" else (worker,)))


def request_hook(name):
    """The function that C calls before or after each request: None without pre_request and post_request."""
    if forkserver.host is None:
        return None
    import _pyhost_hooks as hooks
    import _pyhost_requests as requests
    if "post_request" not in hooks.functions and (name == "after" or "pre_request" not in hooks.functions):
        return None
    requests.worker = forkserver.worker
    return getattr(requests, name)


def environ_of_format(text):
    """The variables of environ that an access log format names, in the cases that environ may use; or None."""
    names = set()
    for name in re.findall(r"%\(\{([^}]+)\}e\)", text):
        names.update((name, name.upper(), name.lower()))
    return tuple(sorted(names)) or None


def run_after_fork():
    """Run what pyhost.postfork has collected.  A worker for which that fails does not boot."""
    for function in after_fork:
        try:
            function()
        except BaseException as error:
            cause = "%s of pyhost.postfork failed: %s: %s" % (_name_of(function), type(error).__name__, error)
            raise loader.LoadFailure(loader.EXIT_BOOT_ERROR, cause, loader.trace(error))


def _name_of(function):
    return getattr(function, "__qualname__", repr(function))


def template(config, listener, error_fd):
    """The environ keys that are the same for every request of a listener (PEP 3333; gunicorn's table)."""
    environ = {
        # overwritten by every request; here so that the copied dict has its final shape
        "REQUEST_METHOD": "", "RAW_URI": "", "REQUEST_URI": "", "PATH_INFO": "", "QUERY_STRING": "",
        "SERVER_PROTOCOL": "",
        "REMOTE_ADDR": "",
        "SCRIPT_NAME": config.get("script_name") or "",
        "SERVER_SOFTWARE": loader.SERVER_SOFTWARE,
        "SERVER_NAME": listener["name"],
        "SERVER_PORT": listener["port"],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": streams.EmptyInput(),
        "wsgi.input_terminated": True,
        "wsgi.errors": streams.open_errors(error_fd, config.get("log_format")),
        "wsgi.multithread": config["worker_class"] != "sync",
        "wsgi.multiprocess": config["workers"] > 1,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": streams.FileWrapper,
        "wsgi.early_hints": None,  # each request has its own, as its socket
        "gunicorn.socket": None,
    }
    # interned strings never die, so a free-threaded Python counts no references of them
    return {key: sys.intern(value) if type(value) is str else value for key, value in environ.items()}


def header_pairs(fields):
    """The headers of start_response as a tuple of tuples, where the application gave pairs of another kind."""
    pairs = []
    for field in fields:
        try:
            pair = tuple(field)
        except TypeError:
            pair = ()
        if len(pair) != 2:
            raise TypeError("a header must be a (name, value) tuple, not %.200r" % (field,))
        pairs.append(pair)
    return tuple(pairs)


def start_threads(count):
    """Start request threads 1..count-1; thread 0 is the main thread.  They are daemons: draining is the server's.

    What the application starts in them is none unless it says so, as in the main thread: a Thread inherits what its
    creator calls itself, and would be cut off in the middle when the worker ends.
    """
    # without a GIL what all requests use, and count references of, exists once per thread (docs/free-threading.md)
    own = _templates if loader.FREE_THREADED else None
    for index in range(1, count):
        thread = threading.Thread(target=_pyhost.run_thread, args=(index, own), name="gthread_%d" % index, daemon=True)
        thread.start()
        thread._daemonic = False  # the end of the interpreter goes by what it was at its start
        _request_threads.append(thread)


def run_worker_exit():
    """Run what pyhost.worker_exit has collected, and the hook, on the main thread, unless they have been run."""
    while at_exit:
        function = at_exit.pop(0)
        try:
            function()
        except BaseException:
            text = "%s of pyhost.worker_exit failed\n%s" % (_name_of(function), traceback.format_exc())
            notes.channel().log("error", text.rstrip("\n"))
    if forkserver.host is not None:
        run_hook("worker_exit")


def end():
    """Take the first steps of the interpreter's end, with which Python itself begins it as well, while signals arrive.

    They do not while the rest is done (ph_finalize_begin), and a process that an atexit handler starts inherits that.
    """
    for thread in _request_threads:  # they have left the server; what is local to them ends with them
        thread.join()
    for step in (threading._shutdown, atexit._run_exitfuncs):
        try:
            step()
        except BaseException:
            pass  # Python 3.8 and 3.9 have shown it, and raise the last one
    forkserver.preloaded = None
    if forkserver.worker is not None:
        forkserver.worker.wsgi = forkserver.worker.app.callable = None
    # Python forgets the modules and has the collector find what is in them, which it does not where that is frozen: a
    # file that a module keeps would not be written to its end.  A module that is still referred to is emptied instead,
    # a moment later.  To unfreeze all and collect it takes four times as long as the whole end of the process.
    _pyhost.keep([module for module in list(sys.modules.values()) if _is_of_application(module)])


def _is_of_application(module):
    """Whether it is neither the standard library's nor the server's."""
    return isinstance(module, types.ModuleType) and not stdlib.standard(vars(module).get("__file__"))


def run_atexit():
    """Run the atexit handlers of the application without ending the interpreter, and flush what it printed."""
    try:
        atexit._run_exitfuncs()
    except BaseException:
        pass  # Python 3.8 and 3.9 have shown it, and raise the last one
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # closed, replaced by something else, or None
            pass


def guard_forks():
    """Make the processes that the application forks behave as under a server written in Python."""
    os.register_at_fork(
        before=_pyhost.before_fork, after_in_parent=_pyhost.after_fork_in_parent, after_in_child=_after_in_child)


def trace_crashes(fd):
    """Have a crash write the stacks of all Python threads to fd.

    An application that enables faulthandler itself replaces this.
    """
    _pyhost.default_crashes()
    faulthandler.enable(fd, all_threads=True)
    _pyhost.share_abort()
    # For a server that cannot get the GIL: the signal's handler writes the stacks without it.
    dump = _pyhost.memory_file()
    number = signal.SIGRTMIN + DUMP_SIGNAL
    faulthandler.register(number, file=dump, all_threads=True, chain=False)
    _pyhost.dump_to(dump, number)
    guard_signals()


def _after_in_child():
    kept = tuple(n for n in range(1, signal.NSIG) if callable(_handler(n)))
    _pyhost.after_fork_in_child(kept)
    try:
        signal.set_wakeup_fd(-1)  # the pipe is shared with the worker: the child must not wake it
    except ValueError:
        pass


def _handler(number):
    try:
        return signal.getsignal(number)
    except ValueError:
        return None


def guard_signals():
    """Keep Go's signal handlers safe from what Python and C extensions do to signals: see _pyhost.guard_signals."""
    _pyhost.guard_signals()
    if getattr(signal.signal, "guarded", False):
        return
    original = signal.signal

    def guarded(signalnum, handler):
        previous = original(signalnum, handler)
        _pyhost.guard_signals()
        return previous

    guarded.__doc__ = original.__doc__
    guarded.guarded = True
    signal.signal = guarded


def format_exception(kind, value, trace):
    """The traceback as UTF-8 bytes, for the log."""
    try:
        text = "".join(traceback.format_exception(kind, value, trace))
    except BaseException:  # whatever __str__ raised, SystemExit included
        text = "%s (its traceback cannot be formatted)\n" % type.__repr__(kind)
    return text.encode("utf-8", "backslashreplace")
