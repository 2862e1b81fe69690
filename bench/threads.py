"""How one worker scales from one thread to two, with and without the GIL.

    python3 bench/threads.py [--rounds N] [--seconds N] [--python PATH ...] [hello|flask ...]

Server and generator share the cores 0 and 1, so the generator has to be cheap: its connections send many requests at a
time, and the kernel counts the bytes that come back and throws them away. That takes a tenth of what hello takes the
server, which still parses, calls and answers each request by itself. Pipelining saves it a read per request.

cores    processor time of the server per second: how much of it ran at the same time
scaling  requests per second with two threads, divided by those with one: the median of the rounds, and from where to
         where. One thread has a core for itself; two have what the generator, and whatever else runs, leaves of two.
idle     of the two cores while two threads serve. When nothing is, they never waited for each other asleep.
on two whole cores
         what scaling would be if they had two: twice the processor time of a request with one thread, divided by that
         with two. What threads make each other wait for in the processor, its caches above all, costs such time. With
         the GIL they never run together: it is left out.
way      nanoseconds that a cache line takes from one core to the other (floor/way.c). Virtual machines have it change,
         by a factor of five here, from one second to the next, and threads that share objects pay for that. It is
         measured before and after each load; rounds with a long way have a line of their own, those with both are
         left out.

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
from dataclasses import dataclass
from pathlib import Path

from processes import TICK, Server, StartError, cpu_seconds, free_port

ROOT = Path(__file__).resolve().parent.parent
# folder, application, connections, requests that one sends at a time: some milliseconds' worth on all connections
APPS = {"hello": ("bench_wsgi", "app:hello", 32, 64), "flask": ("bench_flask", "app:application", 8, 8)}
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: threads\r\nAccept: */*\r\n\r\n"
LONG = 1.7  # times the shortest way: a long one


@dataclass(frozen=True)
class Sample:
    """A server under load: requests per second, and cores that it used, that the generator used, that were idle."""

    rate: float
    cores: float
    generator: float
    idle: float

    @property
    def cost(self) -> float:
        """Processor time of a request, in microseconds."""
        return self.cores * 1e6 / self.rate

    @property
    def others(self) -> float:
        """What is left of the two cores: other programs."""
        return max(0.0, 2 - self.cores - self.generator - self.idle)


@dataclass(frozen=True)
class Round:
    """One thread and two, one after the other, and the way in nanoseconds before, between and behind."""

    one: Sample
    two: Sample
    ways: tuple[float, float, float]

    def is_long(self, shortest: float) -> bool | None:
        """Whether the way was long all the time; None if now and then."""
        long = [way > LONG * shortest for way in self.ways]
        return all(long) if all(long) == any(long) else None


def server(python: str, app: str, threads: int, folder: Path) -> Server:
    """A server of one worker, not started."""
    place, name, *_ = APPS[app]
    port = free_port()
    command = [str(ROOT / "bin/pyhost"), "--python", python, "-b", f"127.0.0.1:{port}", "-w", "1", "-k", "gthread",
               "--threads", str(threads), "--log-level", "warning", name]
    return Server(command, ROOT / "pyapps" / place, port, "0,1", folder / f"{app}-{threads}.log")


def connect(port: int) -> socket.socket:
    """A connection to the server."""
    connection = socket.create_connection(("127.0.0.1", port), 20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def answer_size(port: int) -> int:
    """The bytes of one answer, which are the same for all. SystemExit if it is not the right one."""
    with connect(port) as connection:
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


def load(port: int, connections: int, batch: int, seconds: float) -> float:
    """Requests per second that the server answers.

    The generator looks every millisecond what has come: whoever waits for answers is woken for each of them, which
    costs as much as making them. MSG_TRUNC: the bytes are counted and not copied (tcp(7)).
    """
    whole = answer_size(port) * batch
    room, batches = bytearray(whole), 0
    with contextlib.ExitStack() as stack:
        waiting = {stack.enter_context(connect(port)): whole for _ in range(connections)}
        for connection in waiting:
            connection.setblocking(False)
            connection.sendall(REQUEST * batch)
        begin = time.monotonic()
        while (now := time.monotonic()) < begin + seconds:
            time.sleep(0.001)
            for connection, left in waiting.items():
                try:
                    left -= connection.recv_into(room, 0, socket.MSG_TRUNC) or whole * 1000
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


def idle_seconds() -> float:
    """What the cores 0 and 1 have been idle since the machine started, in seconds."""
    ticks = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name in ("cpu0", "cpu1"):
            ticks += int(fields[3]) + int(fields[4])  # idle, iowait
    return ticks / TICK


def measure(one: Server, app: str, seconds: float) -> Sample:
    """A load of some seconds."""
    *_, connections, batch = APPS[app]
    mine, theirs, idle, begin = time.process_time(), cpu_seconds(one.pid), idle_seconds(), time.monotonic()
    rate = load(one.port, connections, batch, seconds)
    took = time.monotonic() - begin
    return Sample(rate, (cpu_seconds(one.pid) - theirs) / took, (time.process_time() - mine) / took,
                  (idle_seconds() - idle) / took)


def build_way(folder: Path) -> Path:
    """The program that measures the way."""
    program = folder / "way"
    subprocess.run(["cc", "-O2", "-pthread", "-o", program, ROOT / "bench/floor/way.c"], check=True)
    return program


def find_way(program: Path) -> float:
    """The way from core 0 to core 1 now, in nanoseconds."""
    return float(subprocess.run([program], check=True, capture_output=True, text=True).stdout)


def take_rounds(python: str, app: str, rounds: int, seconds: float) -> list[Round]:
    """The rounds, on a server with one thread and one with two that take turns."""
    with tempfile.TemporaryDirectory() as folder:
        program = build_way(Path(folder))
        servers = [server(python, app, threads, Path(folder)) for threads in (1, 2)]
        taken = []
        try:
            for one in servers:
                one.start()
                measure(one, app, 0.5)
            way = find_way(program)
            for _ in range(rounds):
                ways, samples = [way], []
                for one in servers:
                    samples.append(measure(one, app, seconds))
                    ways.append(way := find_way(program))
                taken.append(Round(*samples, tuple(ways)))
        finally:
            for one in servers:
                one.stop()
    return taken


def describe(rounds: list[Round], free: bool) -> str:
    """The rest of a line of the table."""
    def middle(values):
        return statistics.median(values)

    columns = []
    for samples in ([one.one for one in rounds], [one.two for one in rounds]):
        columns.append(f"{middle(s.rate for s in samples):8,.0f}/s  {middle(s.cost for s in samples):6.1f} us  "
                       f"{middle(s.cores for s in samples):.2f} cores")
    columns[1] += f", {statistics.mean(one.two.idle for one in rounds):.2f} idle"
    note = f"scaling {spread([one.two.rate / one.one.rate for one in rounds])}"
    if free:
        note += f", on two whole cores {spread([2 * one.one.cost / one.two.cost for one in rounds])}"
    generator, others = middle(one.two.generator for one in rounds), middle(one.two.others for one in rounds)
    note += f"; the generator took {generator:.2f} of a core, other programs {others:.2f}"
    return " | ".join([*columns, note])


def compare(python: str, app: str, rounds: int, seconds: float) -> list[str]:
    """The lines of the table for one Python and application."""
    title = f"{version(python):10}  {app:6}"
    try:
        taken = take_rounds(python, app, rounds, seconds)
    except StartError as error:
        return [f"{title}  {error}"]
    shortest = min(way for one in taken for way in one.ways)
    lines = []
    for long in (False, True):
        chosen = [one for one in taken if one.is_long(shortest) is long]
        if chosen:
            way = statistics.median(way for one in chosen for way in one.ways)
            lines.append(f"{title} {way:4.0f} ns  {len(chosen):4}  {describe(chosen, title.split()[0].endswith('t'))}")
    return lines


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
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--python", action="append", help="an interpreter; may be repeated")
    parser.add_argument("apps", nargs="*", metavar="app", help="hello or flask; both if none is named")
    options = parser.parse_args()
    pythons = options.python or [str(path) for name in ("3.13", "3.13t")
                                 if (path := ROOT / ".venvs" / name / "bin/python").exists()]
    print("Python      row     way     rounds  one thread                        | two threads")
    for python in pythons:
        for app in options.apps or APPS:
            print(*compare(python, app, options.rounds, options.seconds), sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
