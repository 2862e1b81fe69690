"""How one worker scales from one thread to two, with and without the GIL.

    python3 bench/threads.py [--rounds N] [--seconds N] [--python PATH ...] [hello|flask ...]

Server and generator share the cores 0 and 1, so the generator has to be cheap: eight connections over a unix socket
send many requests at a time and count the bytes that come back. That takes 0.8 us for each, a third of what hello takes
the server, which still parses, calls and answers each request by itself. Pipelining saves it a read per request.

cores    processor time of the server per second: how much of it ran at the same time
scaling  requests per second with two threads, divided by those with one: the median of the rounds, and from where to
         where. One thread has a core for itself; two have what the generator, and whatever else runs, leaves of two.
on two whole cores
         what that would be if they had two: twice the processor time of a request with one thread, divided by that with
         two. What threads make each other wait for in the processor, its caches above all, costs such time; what
         they wait for asleep does not, and shows in the cores. With the GIL they never run together: it is left out.

Each round starts its servers anew: which of the objects that threads share lie in one cache line is chance.

The Pythons are those of .venvs (make test makes them): 3.13, and the free-threaded 3.13t (make python-nogil).
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from processes import Server, StartError, cpu_seconds

ROOT = Path(__file__).resolve().parent.parent
# folder, application, requests that a connection sends at a time: some milliseconds' worth on all connections
APPS = {"hello": ("bench_wsgi", "app:hello", 128), "flask": ("bench_flask", "app:application", 8)}
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: threads\r\nAccept: */*\r\n\r\n"
CONNECTIONS = 8
GENERATOR_SHARE = 0.1  # of a core: with more it is mentioned, as two threads cannot have had their two


def server(python: str, app: str, threads: int, folder: Path) -> Server:
    """A server of one worker, not started."""
    place, name, _ = APPS[app]
    unix = str(folder / f"{app}-{threads}")
    command = [str(ROOT / "bin/pyhost"), "--python", python, "-b", f"unix:{unix}", "-w", "1", "-k", "gthread",
               "--threads", str(threads), "--log-level", "warning", name]
    return Server(command, ROOT / "pyapps" / place, 0, "0,1", folder / f"{app}-{threads}.log", unix)


def connect(path: str) -> socket.socket:
    """A connection to the server."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    connection.connect(path)
    return connection


def answer_size(path: str) -> int:
    """The bytes of one answer, which are the same for all. SystemExit if it is not the right one."""
    with connect(path) as connection:
        connection.sendall(REQUEST)
        answer = connection.recv(65536)
        while not answer.endswith(b"Hello, World!\n"):
            more = connection.recv(65536)
            if not more:
                raise SystemExit(f"the server answers {answer!r}")
            answer += more
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(f"the server answers {answer!r}")
    return len(answer)


def load(path: str, batch: int, seconds: float) -> float:
    """Requests per second that the server answers.

    The generator looks every millisecond what has come: whoever waits for answers is woken for each of them, which
    costs as much as making them.
    """
    whole = answer_size(path) * batch
    room, batches = bytearray(whole), 0
    with contextlib.ExitStack() as stack:
        waiting = {stack.enter_context(connect(path)): whole for _ in range(CONNECTIONS)}
        for connection in waiting:
            connection.setblocking(False)
            connection.sendall(REQUEST * batch)
        begin = time.monotonic()
        while (now := time.monotonic()) < begin + seconds:
            time.sleep(0.001)
            for connection, left in waiting.items():
                try:
                    left -= connection.recv_into(room) or whole * 1000
                    if left == 0:
                        connection.sendall(REQUEST * batch)
                except BlockingIOError:
                    continue
                except ConnectionError:
                    left = -1
                if left < 0:
                    raise SystemExit("the server closed a connection")
                batches += left == 0
                waiting[connection] = left or whole
    return batches * batch / (now - begin)


def measure(one: Server, batch: int, seconds: float) -> tuple[float, float, float]:
    """Requests per second, the cores that the server used, and those of the generator, under a load of some seconds."""
    mine, theirs, begin = time.process_time(), cpu_seconds(one.pid), time.monotonic()
    rate = load(one.unix, batch, seconds)
    took = time.monotonic() - begin
    return rate, (cpu_seconds(one.pid) - theirs) / took, (time.process_time() - mine) / took


def compare_once(python: str, app: str, seconds: float) -> list[tuple[float, float, float]]:
    """What measure returns for one thread and for two, on servers that were started for it."""
    batch = APPS[app][2]
    with tempfile.TemporaryDirectory() as folder:
        servers = [server(python, app, threads, Path(folder)) for threads in (1, 2)]
        try:
            for one in servers:
                one.start()
                load(one.unix, batch, 0.5)
            return [measure(one, batch, seconds) for one in servers]
        finally:
            for one in servers:
                one.stop()


def compare(python: str, app: str, rounds: int, seconds: float) -> str:
    """One line of the table."""
    try:
        samples = [compare_once(python, app, seconds) for _ in range(rounds)]
    except StartError as error:
        return f"{app}: {error}"
    single, double = ([statistics.median(column) for column in zip(*taken)] for taken in zip(*samples))
    columns = [f"{rate:8.0f}/s  {cores * 1e6 / rate:6.1f} us  {cores:.2f} cores" for rate, cores, _ in (single, double)]
    scaling = [two[0] / one[0] for one, two in samples]
    whole = [2 * (one[1] / one[0]) / (two[1] / two[0]) for one, two in samples]
    note = f"; the generator took {double[2]:.2f} of a core" if double[2] > GENERATOR_SHARE else ""
    if version(python).endswith("t"):
        note = f", on two whole cores {spread(whole)}" + note
    return " | ".join([*columns, f"scaling {spread(scaling)}{note}"])


def spread(values: list[float]) -> str:
    """The median, and from where to where."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def version(python: str) -> str:
    """Such as 3.13.5 or 3.13.5t."""
    script = ("import sys, sysconfig; print(sys.version.split()[0] + "
              "('t' if sysconfig.get_config_var('Py_GIL_DISABLED') else ''))")
    return subprocess.run([python, "-c", script], check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Run what the command line asks for."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # so that the servers are ended, too
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--python", action="append", help="an interpreter; may be repeated")
    parser.add_argument("apps", nargs="*", metavar="app", help="hello or flask; both if none is named")
    options = parser.parse_args()
    pythons = options.python or [str(path) for name in ("3.13", "3.13t")
                                 if (path := ROOT / ".venvs" / name / "bin/python").exists()]
    print("Python      row     one thread                        | two threads")
    for python in pythons:
        for app in options.apps or APPS:
            print(f"{version(python):10}  {app:6}{compare(python, app, options.rounds, options.seconds)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
