"""How even the load is: what quick requests wait for while others take long.

    python3 bench/evenload.py [--rounds N] [server ...]

Two experiments on each server, on fresh and on kept-alive connections:

line    two workers, one of them busy for 3 s; 30 quick requests: how many wait for more than 0.5 s
mixed   four workers, eight clients, one of which sends requests that take 500 ms (about one worker is always busy, the
        others idle): the 99th percentile of the quick requests of the others, with and without that client
"""

from __future__ import annotations

import argparse
import http.client
import os
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

APP = """
import time

def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(float(environ["QUERY_STRING"]))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]
"""

SERVERS = {
    "pyhost sync": "{root}/bin/pyhost --python {bin}/python -b 127.0.0.1:{port} -w {n} wsgi",
    "pyhost gthread, 1 thread":
        "{root}/bin/pyhost --python {bin}/python -b 127.0.0.1:{port} -w {n} -k gthread --threads 1 wsgi",
    "gunicorn sync": "{bin}/gunicorn --no-control-socket -b 127.0.0.1:{port} -w {n} wsgi",
    "gunicorn gthread, 1 thread":
        "{bin}/gunicorn --no-control-socket -b 127.0.0.1:{port} -w {n} -k gthread --threads 1 wsgi",
    "uWSGI": "{bin}/uwsgi --http-socket 127.0.0.1:{port} --home {venv} --master --need-app --die-on-term "
             "--disable-logging --processes {n} --module wsgi",
    "granian, 1 blocking thread": "{bin}/granian --interface wsgi --host 127.0.0.1 --port {port} --http 1 --no-ws "
                                  "--workers {n} --blocking-threads 1 wsgi:application",
}

PORT = 18790


class Server:
    """A running server; a context manager."""

    def __init__(self, template: str, workers: int, folder: str):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", PORT)) == 0:
                raise SystemExit(f"something else serves port {PORT}: end it first")
        words = shlex.split(template.format(root=ROOT, bin=VENV / "bin", venv=VENV, port=PORT, n=workers))
        self.process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True, env={**os.environ, "PYTHONPATH": folder})

    def __enter__(self):
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if all(Client(keep=False).get("/") < 5 for _ in range(20)):
                return self
            time.sleep(0.1)
        self.__exit__()
        raise SystemExit("the server does not come up")

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        time.sleep(0.3)


class Client:
    """Sends requests and tells how long they took, in seconds."""

    def __init__(self, keep: bool):
        self.keep = keep
        self.connection = None

    def get(self, path: str) -> float:
        begin = time.monotonic()
        if self.connection is None or not self.keep:
            self.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        try:
            self.connection.request("GET", path)
            response = self.connection.getresponse()
            response.read()
        except (http.client.HTTPException, ConnectionError):  # the server closed it between two requests
            self.connection.close()
            self.connection = None
            return self.get(path) if self.keep else float("inf")
        if not self.keep or response.will_close:
            self.connection.close()
            self.connection = None
        return time.monotonic() - begin


def line(keep: bool, rounds: int) -> str:
    """The experiment of that name."""
    times: list[float] = []
    for _ in range(rounds):
        clients = [Client(keep) for _ in range(30)]
        for client in clients if keep else ():
            client.get("/")
        busy = threading.Thread(target=lambda: Client(keep=False).get("/slow?3"))
        busy.start()
        time.sleep(0.3)
        threads = []
        for client in clients:
            threads.append(threading.Thread(target=lambda c=client: times.append(c.get("/"))))
            threads[-1].start()
            time.sleep(0.02)
        for thread in [*threads, busy]:
            thread.join()
    delayed = sum(took > 0.5 for took in times)
    return f"{delayed}/{len(times)} delayed, p50 {percentile(times, 50)}, p90 {percentile(times, 90)}"


def quick(keep: bool, seconds: float, with_slow: bool) -> list[float]:
    """What quick requests take beside a client whose requests are slow."""
    times: list[float] = []
    end = time.monotonic() + seconds

    def send_quick():
        client = Client(keep)
        while time.monotonic() < end:
            times.append(client.get("/"))
            time.sleep(0.01)

    def send_slow():
        client = Client(keep)
        while time.monotonic() < end:
            client.get("/slow?0.5")

    threads = [threading.Thread(target=send_quick) for _ in range(7)]
    if with_slow:
        threads.append(threading.Thread(target=send_slow))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def mixed(keep: bool, seconds: float) -> str:
    """The experiment of that name."""
    alone, beside = quick(keep, seconds, with_slow=False), quick(keep, seconds, with_slow=True)
    return (f"p99 {percentile(alone, 99)} alone, {percentile(beside, 99)} beside slow ones; "
            f"max {percentile(beside, 100)} of {len(beside)}")


def percentile(times: list[float], percent: float) -> str:
    """As milliseconds."""
    ordered = sorted(times)
    return f"{ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000:.1f} ms"


def main() -> None:
    """Run what the command line asks for."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # so that the server is ended, too
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4, help="of the experiment `line`; 0 leaves it out")
    parser.add_argument("--seconds", type=float, default=5, help="of the experiment `mixed`; 0 leaves it out")
    parser.add_argument("servers", nargs="*", metavar="server", help=f"of {', '.join(SERVERS)}; all if none is named")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "wsgi.py").write_text(APP, encoding="utf-8")
        for name in options.servers or SERVERS:
            for keep in (False, True):
                kind = "kept" if keep else "fresh"
                if options.rounds:
                    with Server(SERVERS[name], 2, folder):
                        print(f"{name:28} {kind:6} line  {line(keep, options.rounds)}", flush=True)
                if options.seconds:
                    with Server(SERVERS[name], 4, folder):
                        print(f"{name:28} {kind:6} mixed {mixed(keep, options.seconds)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
