"""What is lost when things go wrong: the same disturbances for several servers.

    python3 bench/reliability.py [--reloads N] [server ...]

Two workers each. Eight clients send one request after the other, four on connections of their own, four on kept ones.
A request is lost when it is refused, reset, cut, answered with 5xx or the wrong body, or not answered within 10 s. One
that is reset or closed on a kept connection which has served before is counted apart, as `again`: a client may send it
again (RFC 9112 9.3.1).

reload  SIGHUP with other code, several times; `code`: whether the new code serves 10 s afterwards
import  SIGHUP with code that takes 3 s to import: what is lost, and the longest wait for an answer
broken  SIGHUP with code that does not load: what is lost in the 5 s after it
stop    SIGTERM: what is lost of requests whose connection had been accepted by the system before
kill    SIGKILL for a worker, five times, while each request takes 10 ms
hang    a request that never ends, with a timeout of 3 s: what the others lose, how many of them wait for more than
        0.5 s in 6 s, and what its client gets
slow    twenty clients that send a byte of their request head each second: how many of 100 quick requests take more than
        0.5 s
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import itertools
import json
import os
import re
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
PORT = 18791
VERSIONS = {"pyhost": [str(ROOT / "bin/pyhost"), "--version"], "gunicorn": [str(VENV / "bin/gunicorn"), "--version"],
            "granian": [str(VENV / "bin/granian"), "--version"], "uWSGI": [str(VENV / "bin/uwsgi"), "--version"]}

APP = """
import os
import time

import release


def application(environ, start_response):
    time.sleep(float(environ["QUERY_STRING"] or 0))
    body = "{} {}".format(release.VERSION, os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
"""

SERVERS = {
    "pyhost sync": "{root}/bin/pyhost --python {bin}/python -b 127.0.0.1:{port} -w 2 -t 3 wsgi",
    "pyhost gthread": "{root}/bin/pyhost --python {bin}/python -b 127.0.0.1:{port} -w 2 -k gthread --threads 4 "
                      "--request-timeout 3 wsgi",
    "gunicorn sync": "{bin}/gunicorn --no-control-socket -b 127.0.0.1:{port} -w 2 -t 3 wsgi",
    "gunicorn gthread": "{bin}/gunicorn --no-control-socket -b 127.0.0.1:{port} -w 2 -t 3 -k gthread --threads 4 wsgi",
    "granian": "{bin}/granian --interface wsgi --host 127.0.0.1 --port {port} --http 1 --no-ws --workers 2 "
               "--blocking-threads 4 --respawn-failed-workers wsgi:application",
    "uWSGI": "{bin}/uwsgi --http-socket 127.0.0.1:{port} --home {venv} --master --need-app --lazy-apps "
             "--disable-logging --processes 2 --harakiri 3 --module wsgi "
             "--hook-master-start 'unix_signal:15 gracefully_kill_them_all'",
}


class Server:
    """A running server; a context manager."""

    def __init__(self, template: str, folder: str):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", PORT)) == 0:
                raise SystemExit(f"something else serves port {PORT}: end it first")
        self.folder = folder
        self.release("one")
        Path(folder, "wsgi.py").write_text(APP, encoding="utf-8")
        words = shlex.split(template.format(root=ROOT, bin=VENV / "bin", venv=VENV, port=PORT))
        environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True, env=environment)

    def release(self, version: str) -> None:
        """Change the code."""
        Path(self.folder, "release.py").write_text(f"VERSION = {version!r}\n", encoding="utf-8")

    def signal(self, number: signal.Signals) -> None:
        """Signal the master."""
        self.process.send_signal(number)

    def __enter__(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if all(Client(False).once("/")[0] == "served" for _ in range(20)):
                return self
            time.sleep(0.1)
        self.__exit__()
        raise SystemExit("the server does not come up")

    def __exit__(self, *_):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                break
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                continue
        time.sleep(0.5)


class Client:
    """Sends one request after the other."""

    def __init__(self, keep: bool):
        self.keep = keep
        self.socket: socket.socket | None = None
        self.used = 0

    def once(self, path: str, patience: float = 10) -> tuple[str, str]:
        """Send a request; how it ended, and the body."""
        if self.socket is not None and self.ended():
            self.hang_up()
        try:
            if self.socket is None:
                self.socket, self.used = socket.create_connection(("127.0.0.1", PORT), patience), 0
        except OSError:
            return "refused", ""
        self.socket.settimeout(patience)
        answer = b""
        try:
            self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
            while not complete(answer):
                data = self.socket.recv(65536)
                if not data:
                    break
                answer += data
            how = "served" if complete(answer) else "truncated" if answer else "empty"
        except TimeoutError:
            how = "silent"
        except OSError:
            how = "truncated" if answer else "reset"
        if how in ("empty", "reset") and self.used:
            how = "again"
        head, _, body = answer.partition(b"\r\n\r\n")
        self.used += 1
        if how == "served" and not answer.startswith(b"HTTP/1.1 200"):
            how = answer[9:12].decode(errors="replace")
        if how != "served" or not self.keep or re.search(rb"(?i)connection: *close", head):
            self.hang_up()
        return how, body.decode(errors="replace")

    def ended(self) -> bool:
        """Whether the server has closed the connection."""
        self.socket.settimeout(0)
        try:
            return self.socket.recv(1, socket.MSG_PEEK) is not None
        except BlockingIOError:
            return False
        except OSError:
            return True

    def hang_up(self) -> None:
        """Close the connection."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def complete(answer: bytes) -> bool:
    """Whether these bytes are a whole response."""
    head, found, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(found) and (length is None or len(body) >= int(length[1]))


class Load:
    """Eight clients that go on until the load ends; a context manager."""

    def __init__(self, path: str = "/"):
        self.path = path
        self.over = threading.Event()
        self.endings: list[tuple[str, float]] = []  # how each request ended, and how long it took
        self.pids: set[int] = set()
        self.threads = [threading.Thread(target=self.run, args=(n % 2 == 0,)) for n in range(8)]

    def run(self, keep: bool) -> None:
        """Be one client."""
        client = Client(keep)
        while not self.over.is_set():
            begin = time.monotonic()
            how, body = client.once(self.path)
            if how == "served":
                if re.fullmatch(r"\w+ \d+", body):
                    self.pids.add(int(body.split()[1]))
                else:
                    how = "wrong"
            self.endings.append((how, time.monotonic() - begin))
            time.sleep(0.003)
        client.hang_up()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        time.sleep(0.5)
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def lost(self, besides: tuple[str, ...] = ()) -> str:
        """What was lost, in words."""
        counts = collections.Counter(how for how, _ in self.endings)
        again = counts.pop("again", 0)
        words = [f"{n} {how}" for how, n in sorted(counts.items()) if how not in ("served", *besides)]
        return (", ".join(words) or "0") + (f" (+{again} again)" if again else "")


def reload(server: Server, options: argparse.Namespace) -> str:
    """The experiment of that name."""
    with Load() as load:
        for n in range(options.reloads):
            server.release("x" * (n + 2))
            server.signal(signal.SIGHUP)
            time.sleep(3)
    fresh = False
    deadline = time.monotonic() + 10
    while not fresh and time.monotonic() < deadline:
        time.sleep(0.2)
        fresh = all(Client(False).once("/")[1].startswith("x" * (options.reloads + 1)) for _ in range(10))
    return f"{load.lost()}; code: {'new' if fresh else 'old'}"


def slow_import(server: Server, _: argparse.Namespace) -> str:
    """The experiment `import`."""
    with Load() as load:
        Path(server.folder, "release.py").write_text("import time\ntime.sleep(3)\nVERSION = 'slow'\n", encoding="utf-8")
        server.signal(signal.SIGHUP)
        time.sleep(9)
    return f"{load.lost()}; {max(took for _, took in load.endings):.1f} s"


def broken(server: Server, _: argparse.Namespace) -> str:
    """The experiment of that name."""
    with Load() as load:
        Path(server.folder, "release.py").write_text("raise RuntimeError('half deployed')\n", encoding="utf-8")
        server.signal(signal.SIGHUP)
        time.sleep(5)
    return load.lost()


def stop(server: Server, _: argparse.Namespace) -> str:
    """The experiment of that name."""
    with Load("/?0.01") as load:
        server.signal(signal.SIGTERM)
        time.sleep(2)
    return load.lost(besides=("refused",))


def kill(_: Server, __: argparse.Namespace) -> str:
    """The experiment of that name."""
    with Load("/?0.01") as load:
        for _ in range(5):
            load.pids.clear()
            time.sleep(1.5)
            for victim in load.pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                    break
        time.sleep(2)
    return load.lost()


def hang(_: Server, __: argparse.Namespace) -> str:
    """The experiment of that name."""
    answer: list[str] = []
    with Load() as load:
        thread = threading.Thread(target=lambda: answer.append(Client(False).once("/?3600", 6)[0]))
        thread.start()
        time.sleep(6)
        thread.join()
    late = sum(took > 0.5 for _, took in load.endings)
    return f"{load.lost()}; {late} late; its client: {answer[0]}"


def slow(_: Server, __: argparse.Namespace) -> str:
    """The experiment of that name."""
    over = threading.Event()

    def dribble() -> None:
        with socket.create_connection(("127.0.0.1", PORT)) as connection:
            for byte in itertools.chain(b"GET / HTTP/1.1\r\nX: ", itertools.repeat(ord("x"))):
                try:
                    connection.send(bytes([byte]))
                except OSError:
                    return
                if over.wait(1):
                    return

    threads = [threading.Thread(target=dribble) for _ in range(20)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    late = 0
    deadline = time.monotonic() + 30
    for n in range(100):
        begin = time.monotonic()
        how, _ = Client(False).once("/", 3)
        late += how != "served" or time.monotonic() - begin > 0.5
        if time.monotonic() > deadline:
            late += 99 - n
            break
    over.set()
    for thread in threads:
        thread.join()
    return f"{late} of 100 late"


EXPERIMENTS = {
    "reload": reload, "import": slow_import, "broken": broken, "stop": stop, "kill": kill, "hang": hang, "slow": slow,
}


def main() -> None:
    """Run what the command line asks for."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reloads", type=int, default=5)
    parser.add_argument("--only", choices=EXPERIMENTS, action="append", help="experiments; all if none is named")
    parser.add_argument("--json", help="a file for the results")
    parser.add_argument("servers", nargs="*", metavar="server", help=f"of {', '.join(SERVERS)}; all if none is named")
    options = parser.parse_args()
    results: dict[str, dict[str, str]] = {}
    for name, words in VERSIONS.items():
        found = subprocess.run(words, capture_output=True, text=True, check=False)
        print(f"{name}: {(found.stdout or found.stderr).strip()}", flush=True)
    for name in options.servers or SERVERS:
        results[name] = {}
        for experiment in options.only or EXPERIMENTS:
            with tempfile.TemporaryDirectory() as folder, Server(SERVERS[name], folder) as server:
                results[name][experiment] = EXPERIMENTS[experiment](server, options)
            print(f"{name:17} {experiment:7} {results[name][experiment]}", flush=True)
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
