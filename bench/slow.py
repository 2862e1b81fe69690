"""What slow clients do to ordinary ones.

    python3 bench/slow.py [--seconds N] [cases|crowd] [server ...]

cases   eight clients of one kind, then one ordinary request: how long it takes, or BLOCKED after 6 s
crowd   1,000 connections that dribble their heads, 200 that dribble a body, 200 that read a response of 20 MB slowly
        (half of them a list, half a generator) and 1,000 idle ones; then the 99th percentile of ordinary requests on
        four kept connections, with the crowd and without it

Each server has what its line below says; the crowd meets two workers.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import multiprocessing
import os
import resource
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-bench"
PORT = 18795
BLOCKED = 6.0

APP = '''
BLOCK = b"0123456789abcdef" * 4096

def application(environ, start_response):
    path = environ["PATH_INFO"]
    body = [b"%d\\n" % len(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))]
    headers = [("Content-Type", "text/plain")]
    if path == "/list":
        body = [BLOCK * 320]
    elif path == "/generator":
        body = (BLOCK for _ in range(320))
    if isinstance(body, list):
        headers.append(("Content-Length", str(len(body[0]))))
    start_response("200 OK", headers)
    return body
'''

GUNICORN = "{bin}/gunicorn --no-control-socket -b 127.0.0.1:{port} --worker-connections 4000 "
PYHOST = "{root}/bin/pyhost --python {bin}/python -b 127.0.0.1:{port} --worker-connections 4000 "
GRANIAN = "{bin}/granian --interface wsgi --host 127.0.0.1 --port {port} --http 1 --no-ws --log-level warning "
# of a server: how it meets the eight clients, and how the crowd
SERVERS = {
    "pyhost sync": (PYHOST + "-w 1 wsgi", PYHOST + "-w 2 wsgi"),
    "pyhost gthread": (PYHOST + "-w 1 -k gthread --threads 4 wsgi", PYHOST + "-w 2 -k gthread --threads 4 wsgi"),
    "gunicorn sync": (GUNICORN + "-w 1 wsgi", GUNICORN + "-w 2 wsgi"),
    "gunicorn gthread": (GUNICORN + "-w 1 -k gthread --threads 4 wsgi", GUNICORN + "-w 2 -k gthread --threads 4 wsgi"),
    "granian": (GRANIAN + "--workers 1 --blocking-threads 4 wsgi:application",
                GRANIAN + "--workers 2 --blocking-threads 4 wsgi:application"),
    "waitress": ("{bin}/waitress-serve --listen 127.0.0.1:{port} --threads 4 --connection-limit 4000 "
                 "wsgi:application",) * 2,
}

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CASES = {
    "idle": b"", "idle after a response": GET, "half a head": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
    "half a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx",
    "list unread": b"GET /list HTTP/1.1\r\nHost: x\r\n\r\n",
    "generator unread": b"GET /generator HTTP/1.1\r\nHost: x\r\n\r\n",
}


@contextlib.contextmanager
def server(template: str):
    """A running server."""
    with tempfile.TemporaryDirectory(prefix="slow-") as folder:
        (Path(folder) / "wsgi.py").write_text(APP)
        words = shlex.split(template.format(root=ROOT, bin=VENV / "bin", port=PORT))
        process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True, env={**os.environ, "PYTHONPATH": folder})
        try:
            deadline = time.monotonic() + 20
            while ordinary(1.0) >= 1.0:
                if time.monotonic() > deadline:
                    raise SystemExit(f"does not come up: {template}")
                time.sleep(0.2)
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def connect(timeout: float = 5.0, window: int = 0, port: int = PORT) -> socket.socket:
    """A client's socket; window is its receive buffer."""
    client = socket.socket()
    if window:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    client.settimeout(timeout)
    client.connect(("127.0.0.1", port))
    return client


def ordinary(patience: float) -> float:
    """Seconds that one request takes on a connection of its own; patience if it is not answered."""
    began = time.monotonic()
    try:
        with connect(patience) as client:
            client.sendall(GET)
            if client.recv(1000).startswith(b"HTTP/1.1 200"):
                return time.monotonic() - began
    except OSError:
        pass
    return patience


def cases(template: str) -> list[str]:
    """One cell for each of CASES."""
    cells = []
    for name, wire in CASES.items():
        with server(template), contextlib.ExitStack() as stack:
            for _ in range(8):
                client = stack.enter_context(connect())
                client.sendall(wire)
                if name == "idle after a response":
                    client.recv(1000)
            time.sleep(0.5)
            took = ordinary(BLOCKED)
        cells.append("**BLOCKED**" if took >= BLOCKED else f"{took * 1000:.0f} ms")
    return cells


class Crowd:
    """Slow clients, in a process of their own: each sends or reads a little once a second, one after the other."""

    def __init__(self, heads: int = 1000, bodies: int = 200, readers: int = 200, idle: int = 1000, port: int = PORT,
                 core: int | None = None):
        self.counts, self.port, self.core = (heads, bodies, readers, idle), port, core
        ready, self.life = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=self.live, args=(ready,))
        self.process.start()
        ready.close()
        if not self.life.poll(60) or (problem := self.life.recv()):
            self.end()
            raise OSError(problem)

    def end(self):
        """Hang up."""
        self.life.close()
        self.process.join()

    def live(self, ready):
        """Come, and be slow until the other end of the pipe is closed."""
        self.life.close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who closes the pipe
        if self.core is not None:
            os.sched_setaffinity(0, {self.core})
        try:
            clients = self.arrive()
        except OSError as error:
            ready.send(str(error))
            return
        ready.send("")
        pause, turns = 0.01, 100
        for turn in itertools.count():
            if ready.poll(pause):
                return
            for client, send in clients[turn % turns::turns]:
                with contextlib.suppress(OSError):  # of one that was thrown out, or has nothing to do
                    if send:
                        client.send(b"x" * 100)
                    else:
                        client.recv(4000)

    def arrive(self) -> list[tuple[socket.socket, bool]]:
        """Those who have something to do, and whether that is to send; the idle ones have not."""
        windows = (0, 0, 4096, 0)
        heads, bodies, readers, self.idle = (
            [connect(window=window, port=self.port) for _ in range(count)]
            for count, window in zip(self.counts, windows))
        for client in heads:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
        for client in bodies:
            client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        for number, client in enumerate(readers):
            client.sendall(b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"list" if number % 2 else b"generator"))
        for client in heads + bodies + readers:
            client.setblocking(False)
        return [(client, True) for client in heads + bodies] + [(client, False) for client in readers]


def percentile(seconds: float) -> tuple[float, float, int]:
    """(p50, p99, how many) of ordinary requests on four kept connections, in ms; some break between two."""
    times, failures, lock = [], [], threading.Lock()

    def ask():
        client = None
        while time.monotonic() < end:
            began = time.monotonic()
            try:
                client = client or connect(BLOCKED)
                client.sendall(GET)
                if not client.recv(1000):
                    raise OSError
                took = time.monotonic() - began
            except OSError:
                client, took = None, BLOCKED
                failures.append(1)
            with lock:
                times.append(took)
            time.sleep(0.01)

    end = time.monotonic() + seconds
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    return times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000, len(failures)


def crowd(template: str, seconds: float) -> list[str]:
    """The cells of one server."""
    with server(template):
        _, unloaded, _ = percentile(seconds)
        try:
            slow = Crowd()
        except OSError as error:
            return [f"{unloaded:.1f}", f"**the crowd is not let in**: {error}", "", ""]
        time.sleep(8)  # the large responses are produced, and lie where they wait for their readers
        middle, loaded, failures = percentile(seconds)
        slow.end()
    blocked = "**BLOCKED**, " if failures else ""
    return [f"{unloaded:.1f}", f"{middle:.1f}", f"{blocked}{loaded:.1f}", str(failures)]


def main() -> None:
    """Prints a table for each experiment."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement (default 5)")
    parser.add_argument("what", nargs="*", help="cases, crowd, and names of servers")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    names = [name for name in options.what if name not in ("cases", "crowd")] or list(SERVERS)
    for name in names:
        if name not in SERVERS:
            sys.exit(f"no server {name}; there are {', '.join(SERVERS)}")
    if "crowd" not in options.what or "cases" in options.what:
        print("| server | " + " | ".join(CASES) + " |\n|---" + "|---" * len(CASES) + "|")
        for name in names:
            print(f"| {name} | " + " | ".join(cases(SERVERS[name][0])) + " |", flush=True)
    if "cases" not in options.what or "crowd" in options.what:
        print("\n| server | p99 ms without | p50 ms | p99 ms | failed |\n|---|---|---|---|---|")
        for name in names:
            print(f"| {name} | " + " | ".join(crowd(SERVERS[name][1], options.seconds)) + " |", flush=True)


if __name__ == "__main__":
    main()
