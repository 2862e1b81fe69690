"""The program of the forkserver: evaluates a Python config file, runs the master's hooks, imports the application
with --preload, forks a worker on each command.

It speaks JSON lines with the master (package workers/wire); descriptors come along with SCM_RIGHTS.
"""

import array
import faulthandler
import gc
import json
import os
import select
import signal
import socket
import sys
import threading
import traceback
from os import read  # this one: eventlet's would not raise BlockingIOError

import _pyhost
import _pyhost_loader as loader
import _pyhost_modules as modules
import _pyhost_shared as shared

# The terminal and operators signal the whole process group; only the control socket commands the forkserver.
IGNORED = [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2,
           signal.SIGWINCH, signal.SIGTTIN, signal.SIGTTOU]

# A worker that does not listen to signals yet ends by these. The others are not for it, or mean nothing that early.
ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT]

HOOKS = ["on_starting", "on_reload", "when_ready", "pre_fork", "post_fork", "post_worker_init", "worker_int",
         "worker_abort", "pre_exec", "pre_request", "post_request", "child_exit", "worker_exit", "nworkers_changed",
         "on_exit"]

# Seconds.  Code that runs here, a config file or a preloaded application, may take SIGCHLD or its wake-up for itself:
# asyncio, uvloop and gevent do.
LOOK_FOR_ENDED = 1.0

preloaded = None  # the application, where --preload imported it here
host = None       # the HookHost, where any hook is set
worker = None     # in a worker with hooks: its object


# The settings that ask for Python's logging, beside a logger_class that is not this.
LOGGING = ("logconfig", "logconfig_dict", "logconfig_json")
OWN_LOGGER = "gunicorn.glogging.Logger"


class Forkserver:
    """One generation of code: its Python state is what the workers start from."""

    def __init__(self, control):
        self.control = control
        self.buffer = b""
        self.logs = None  # _pyhost_logs, where it takes the log
        self.fds = []
        self.workers = set()  # their pids
        self.ending = False  # when they have gone
        self.reload = False  # the setting
        self.prepared = False
        self.trimmed = False
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_write, False)
        os.set_blocking(self.wake_read, False)
        self.take_signals()

    def take_signals(self):
        """Handle signals as the forkserver does, whatever a config file, a preloaded application or a hook has made of
        them: gunicorn, too, sets its own after those.  Where SIGCHLD was ignored, no end of a worker would be noticed.
        """
        for number in IGNORED:
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)

    def serve(self):
        """Carry out commands.  Returns in a new worker; the forkserver itself leaves through os._exit."""
        while True:
            watched = [self.wake_read] if self.ending else [self.control, self.wake_read]
            ready, _, _ = select.select(watched, [], [], LOOK_FOR_ENDED)
            self.reap()
            if self.control in ready and self.receive():
                return

    def receive(self):
        """Read what the master sent; true in a worker."""
        try:
            data, ancillary, _, _ = self.control.recvmsg(
                1 << 16, socket.CMSG_SPACE(256 * 4), socket.MSG_CMSG_CLOEXEC)
        except ConnectionError:
            data, ancillary = b"", []
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds = array.array("i")
                fds.frombytes(payload[:len(payload) - len(payload) % fds.itemsize])
                self.fds.extend(fds)
        if not data:
            self.end()
        self.buffer += data
        while b"\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\n", 1)
            if self.command(json.loads(line)):
                return True
        return False

    def command(self, message):
        """Carry out one wire.Command; true in a worker."""
        kind = message["command"]
        if kind == "configure":
            self.configure(message["file"], message.get("argv") or [])
        elif kind == "prepare":
            self.attempt(lambda: self.prepare(message))
        elif kind == "boot":
            self.attempt(lambda: self.boot(message))
        elif kind == "hook":
            host.run(message["hook"])
            self.take_signals()
            self.reap()
        elif kind == "log":
            self.logs.write(message["log"], message["master_pid"])
        elif kind == "fork":
            return self.fork(message["worker"])
        elif kind == "exit":
            self.end()
        return False

    def end(self):
        """End this process.  What it has started with multiprocessing, a Manager for instance, serves the workers: when
        they have gone that ends, and so does this process.
        """
        self.ending = True
        if not self.workers or not own_children():
            end_children()
            os._exit(0)
        self.send({"event": "lingers"})

    def configure(self, file, argv):
        """Evaluate the Python config file and tell the master what it sets."""
        import _pyhost_configfile as configfile
        try:
            with configfile.EndWithMaster(self.control):
                settings, others, warnings = configfile.evaluate(
                    file["spec"], file["directory"], file["names"], argv)
        except loader.LoadFailure as failure:
            self.fail(failure.code, failure.cause, failure.trace)
        self.take_signals()
        self.send({"event": "configured", "settings": settings, "others": others, "warnings": warnings})

    def attempt(self, step):
        """Run a step of the boot; the master hears why it fails, and this process ends."""
        try:
            step()
        except loader.LoadFailure as failure:
            self.fail(failure.code, failure.cause, failure.trace)
        except OSError as error:
            self.fail(loader.EXIT_BOOT_ERROR, "cannot use the directory of --chdir: %s" % error, "")

    def prepare(self, message):
        """Set up the process: environment, directory, sys.path, hooks."""
        global host
        if self.prepared:
            return
        self.prepared = True
        config = message["config"]
        if not asks_for_logging(config):
            import _pyhost_errorlog as errorlog  # before sys.path has the application's own logging.py, if there is one
            errorlog.set_up(config, self.log)
        loader.prepare(config, message.get("argv") or [])
        self.reload = config.get("reload")
        # A config file may have said it: it was not known when this process was started.
        name = config.get("proc_name") or config.get("default_proc_name") or config.get("wsgi_app") or ""
        _pyhost.set_title(("pyhost: forkserver [%s]" % name).encode("utf-8", "surrogateescape"))
        if any(config.get(name) for name in HOOKS):
            import _pyhost_hookhost as hookhost
            host = hookhost.HookHost(config, message.get("master_pid") or os.getppid(), self.send)

    def boot(self, message):
        """Prepare the process and, with --preload, import the application."""
        global preloaded
        self.prepare(message)
        config = message["config"]
        self.set_up_logging(config)
        if config.get("preload_app"):
            load = host.server.app.wsgi if host else lambda: loader.load(config["wsgi_app"])
            preloaded = self.within(config.get("boot_timeout"), "the application", load)
            loader.settle()
        else:
            self.share(config)
        self.take_signals()
        _pyhost.fill_holes()
        self.send({"event": "ready", "python": sys.version.split()[0]})

    def set_up_logging(self, config):
        """Have Python's logging take the log, if the settings ask for it."""
        if not asks_for_logging(config):
            return
        import _pyhost_logs as logs
        configfile = sys.modules.get("_pyhost_configfile")
        try:
            logs.setup(config, configfile.values if configfile else {})
            self.logs = logs
        except Exception as error:
            cause = "the logging settings do not work: %s: %s" % (type(error).__name__, error)
            self.fail(loader.EXIT_BOOT_ERROR, cause, traceback.format_exc())

    def share(self, config):
        """Import what workers share without --preload.  The collector would find next to nothing in it."""
        collects = gc.isenabled()
        gc.disable()
        limit = config.get("boot_timeout") if shared.named(config) else 0
        self.within(limit, "what share_imports names", lambda: shared.share(config, self.log))
        loader.freeze()
        if collects:
            gc.enable()

    def log(self, level, text):
        """Write to the error log, as the master."""
        self.send({"event": "log", "level": level, "error": text})

    def within(self, limit, what, step):
        """Take an import's step, in at most limit seconds; 0 is no limit.  No thread is left when it returns."""
        if not limit:
            return step()
        importing = threading.get_ident()

        def give_up():
            stack = "".join(traceback.format_stack(sys._current_frames()[importing]))
            cause = "%s was not imported within %ds (boot_timeout)" % (what, limit)
            self.fail(loader.EXIT_BOOT_ERROR, cause, stack)

        timer = threading.Timer(limit, give_up)
        timer.start()
        # For an import that never lets another thread run: the stack goes to standard error, the exit code is 1.
        faulthandler.dump_traceback_later(limit + 1, exit=True)
        try:
            return step()
        finally:
            timer.cancel()
            timer.join()
            faulthandler.cancel_dump_traceback_later()

    def fail(self, code, cause, trace):
        """Tell the master why this generation cannot serve, and end."""
        if self.reload:
            for message in modules.messages(modules.files()):
                self.control.sendall(message)
        self.send({"event": "failed", "code": code, "error": cause, "traceback": trace})
        end_children()
        os._exit(code)

    def fork(self, boot):
        """Fork one worker; true in it."""
        global worker
        count = 4 + len(boot.get("listeners") or ())
        fds, self.fds = self.fds[:count], self.fds[count:]
        who = {"slot": boot.get("slot", 0), "age": boot.get("age", 0)}
        if host is not None:
            worker = host.before_fork(who["age"], [each["address"] for each in boot.get("listeners") or ()])
            self.take_signals()
        try:
            pid = os.fork()
        except OSError as error:
            self.send(dict(who, event="fork_failed", error=str(error)))
            pid = None
        if pid == 0:
            self.leave()
            change_owner(boot.get("owner"))
            if boot["config"].get("reload"):
                modules.keep(fds[0])
            if self.logs is not None:
                fds.append(self.logs.open_pair())
            _pyhost.become_worker(json.dumps(boot).encode(), tuple(fds))
            return True
        for fd in fds:
            os.close(fd)
        if pid is not None:
            self.workers.add(pid)
            if host is not None:
                host.after_fork(worker, pid)
            self.send(dict(who, event="forked", pid=pid))
        if not self.trimmed:  # not before: the first worker would have to wait for it
            self.trimmed = True
            _pyhost.trim_resident()
        return False

    def leave(self):
        """In the new worker: forget that this was the forkserver."""
        disown_children()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number in ENDING:
            signal.signal(number, signal.SIG_DFL)
        self.control.close()
        os.close(self.wake_read)
        os.close(self.wake_write)

    def reap(self):
        """Tell the master of every child that ended, with the raw wait status."""
        try:
            while read(self.wake_read, 512):
                pass
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                pid = 0
            if pid == 0:
                break
            self.workers.discard(pid)
            self.send({"event": "exited", "pid": pid, "status": status})
        if self.ending and not self.workers:
            self.end()

    def send(self, event):
        """One wire.Event; a master that is gone ends the forkserver."""
        try:
            self.control.sendall(json.dumps(event).encode() + b"\n")
        except OSError:
            if not self.ending:
                os._exit(0)


def own_children():
    """The processes that code of the user's runs here with multiprocessing."""
    process = sys.modules.get("multiprocessing.process")
    children = process.active_children() if process else []
    if not children:
        return []
    from multiprocessing import connection
    # multiprocessing takes for alive what reap has waited for, and its pid may be another's
    return [child for child in children if not connection.wait([child.sentinel], 0)]


def disown_children():
    """In a new worker: forget them.  It is not their parent, and would fail to join them at its end."""
    process = sys.modules.get("multiprocessing.process")
    if process:
        getattr(process, "_children", set()).clear()


def end_children():
    """End them, as the interpreter does at its end; but do not wait for one that is no daemon."""
    try:
        if own_children():
            from multiprocessing import util
            util._run_finalizers(0)
            for child in own_children():
                if child.daemon:
                    child.terminate()
    except BaseException:
        traceback.print_exc()


def asks_for_logging(config):
    """Whether the settings ask for Python's logging."""
    return any(config.get(name) for name in LOGGING) or config.get("logger_class") not in (None, "", OWN_LOGGER)


def change_owner(owner):
    """Give up the master's privileges, for good: the settings user, group and initgroups.

    The supplementary groups go first, while this may still be done; the saved ids go with the others.
    """
    if not owner:
        return
    try:
        os.setgroups(owner["groups"])
        os.setresgid(owner["gid"], owner["gid"], owner["gid"])
        os.setresuid(owner["uid"], owner["uid"], owner["uid"])
        if owner["uid"] != 0:
            _pyhost.drop_capabilities()
    except OSError as error:
        text = "pyhost: the worker cannot become uid %s, gid %s: %s\n" % (owner["uid"], owner["gid"], error)
        os.write(2, text.encode())
        os._exit(loader.EXIT_BOOT_ERROR)


def main():
    """Serve until this process is a worker."""
    control = socket.socket(fileno=_pyhost.control_fd())
    control.set_inheritable(False)  # a program that is started here may outlive the server
    Forkserver(control).serve()
