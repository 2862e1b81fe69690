"""What workers share although each of them imports the application itself: the setting share_imports."""

import importlib
import os
import sys
from importlib.machinery import PathFinder

import _pyhost_loader as loader
import _pyhost_stdlib as stdlib

_files = {}      # library module: its file, and the state in which that was imported
_path = []       # sys.path at that time
_automatic = []  # the modules that came with a framework, where nothing else was asked for


def share(config, log):
    """Import what the setting asks for, in the forkserver, whose sys.path and environment are the application's.

    log(level, text) tells what could not be imported, and at level debug what "auto" comes to.
    """
    words = config.get("share_imports") or ()
    if any(word != "none" for word in words):
        stdlib.share()
    before = set(sys.modules)
    if "auto" in words:
        import _pyhost_framework as framework
        try:
            log("debug", "share_imports auto: %s" % _share_framework(*framework.choose(config)))
        except Exception as error:  # also what nobody has thought of: the server starts without a shared framework
            reason = error if isinstance(error, framework.Unclear) else loader.describe(error)
            log("debug", "share_imports auto: only the standard library: %s" % reason)
    _automatic[:] = _libraries(before)
    for name in named(config):
        del _automatic[:]
        _share_named(name, log)
    for name in _libraries(before):
        file = _file(name)
        if isinstance(file, str):
            _files[name] = file, _state(file)
    _path[:] = sys.path


def named(config):
    """The modules that the setting names."""
    return [word for word in config.get("share_imports") or () if word not in ("auto", "none", "stdlib")]


def renew(log):
    """In a new worker: a framework of which a file has changed since is imported anew.  That may be days later."""
    if all(_state(file) == state for file, state in _files.values()):
        return
    if not _automatic:
        log("warning", "share_imports: shared libraries have changed on disk; a reload (SIGHUP) imports them anew")
        return
    for name in _automatic:
        sys.modules.pop(name, None)
    _files.clear()


def check(log):
    """In a worker that has imported the application: warn if its sys.path would have given it other libraries."""
    if sys.path == _path:
        return
    for root, (file, _) in sorted(_files.items()):
        if "." in root:
            continue
        spec = PathFinder.find_spec(root)
        if spec is not None and spec.origin not in (None, file) and _file(root) == file:
            log("warning", "the application's sys.path has %s in %s, but the workers share %s; with --share-imports "
                "stdlib each imports its own" % (root, spec.origin, file))


def _share_framework(framework, own):
    """Import a framework, and return its name; framework.Unclear: nothing is imported."""
    from _pyhost_framework import Unclear
    before = set(sys.modules)
    hidden = os.environ.pop("DJANGO_SETTINGS_MODULE", None)  # settings are the application's code
    try:
        added, shadowed = stdlib.load([framework], own)
    finally:
        if hidden is not None:
            os.environ["DJANGO_SETTINGS_MODULE"] = hidden
    if framework in added and not shadowed:
        return framework
    for name in _libraries(before):
        del sys.modules[name]
    raise Unclear("the application has a module of the same name as one that %s needs" % framework if shadowed
                  else "%s cannot be imported" % framework)


def _share_named(name, log):
    before = _threads()
    try:
        importlib.import_module(name)
    except BaseException as error:  # SystemExit, too, is no more than the end of this import
        log("warning", "share_imports: %s is not shared, its import failed: %s" % (name, loader.describe(error)))
    if _threads() > before:
        log("warning", "share_imports: the import of %s has started a thread, which workers will not have; if it needs "
            "the thread, take it out" % name)


def _threads():
    return len(os.listdir("/proc/self/task"))


def _libraries(before):
    """The modules that were imported since, but for the standard library's and the server's own."""
    return [name for name in set(sys.modules) - before
            if not stdlib.standard(_file(name)) and not name.startswith("_pyhost_")]


def _file(name):
    return getattr(sys.modules.get(name), "__file__", None)


def _state(file):
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
