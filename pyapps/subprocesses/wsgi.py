"""Runs child processes: subprocess, os.system, os.fork, multiprocessing with fork."""
import multiprocessing
import os
import signal
import subprocess
import sys
import threading

fork = multiprocessing.get_context("fork")
forked_unasked = []


def run():
    result = subprocess.run([sys.executable, "-c", "print(6 * 7); raise SystemExit(5)"], stdout=subprocess.PIPE)
    return "{} {}".format(result.stdout.decode().strip(), result.returncode)


def codes():
    """Somebody who reaps this worker's children behind its back would make these codes 0."""
    return " ".join(str(subprocess.run(["sh", "-c", "exit {}".format(n)]).returncode) for n in range(1, 11))


def shell():
    return str(os.system("exit 3") >> 8)


def killed():
    child = subprocess.Popen(["sleep", "60"])
    child.terminate()
    return str(child.wait(10))


def forked():
    pid = os.fork()
    if pid == 0:
        os._exit(9)
    return str(os.waitpid(pid, 0)[1] >> 8)


def unwound(how):
    """A child that does not call os._exit but comes back to the server: it must end there."""
    pid = os.fork()
    if pid:
        return str(os.waitpid(pid, 0)[1] >> 8)
    if how == "exit":
        sys.exit(7)
    if how == "message":
        sys.exit("the child says why")
    if how == "raise":
        raise ValueError("in the child")
    return "from the child"


def unwound_by_exit():
    return unwound("exit")


def unwound_by_message():
    return unwound("message")


def unwound_by_exception():
    return unwound("raise")


def unwound_by_return():
    return unwound("return")


def fork_and_note():
    pid = os.fork()
    if pid:
        forked_unasked.append(pid)


class Forking(list):
    """A response whose destructor forks: nothing of the application runs after it."""

    def __del__(self):
        fork_and_note()


def of_destructor():
    return Forking()


if threading.current_thread() is threading.main_thread():  # not where another application imports this one
    signal.signal(signal.SIGALRM, lambda number, frame: fork_and_note())


def unasked():
    """How many children of a destructor or a signal handler have ended, and how many live."""
    ended = [pid for pid in forked_unasked if os.waitpid(pid, os.WNOHANG)[0]]
    for pid in ended:
        forked_unasked.remove(pid)
    return "{} {}".format(len(ended), len(forked_unasked))


def kill_unasked():
    for pid in forked_unasked:
        os.kill(pid, signal.SIGKILL)
    return ""


def square(queue, number):
    queue.put(number * number)


def process():
    queue = fork.SimpleQueue()
    child = fork.Process(target=square, args=(queue, 12))
    child.start()
    answer = queue.get()
    child.join(10)
    return "{} {}".format(answer, child.exitcode)


def wait_for_ever(ready):
    ready.send("ready")
    threading.Event().wait()


def terminated():
    """SIGTERM must end a forked child: it may not inherit handlers that nothing stands behind."""
    reader, writer = fork.Pipe(duplex=False)
    child = fork.Process(target=wait_for_ever, args=(writer,))
    child.start()
    reader.recv()
    child.terminate()
    child.join(10)
    return str(child.exitcode)


def terminated_at_once():
    """The same, when the child has had no time yet to take anything of its parent off."""
    for _ in range(30):
        child = fork.Process(target=threading.Event().wait)
        child.start()
        child.terminate()
        child.join(5)
        if child.exitcode != -signal.SIGTERM:
            child.kill()
            break
    return str(child.exitcode)


def pool():
    with fork.Pool(2) as workers:
        return str(sum(workers.map(abs, range(-10, 0))))


def dispositions():
    """What a child started by exec sees: nothing ignored except what Python itself restores."""
    code = "import signal; print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, signal.pthread_sigmask(0, []))"
    return subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE).stdout.decode().strip()


def application(environ, start_response):
    body = globals()[environ["PATH_INFO"].strip("/")]()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return body if isinstance(body, list) else [body.encode()]
