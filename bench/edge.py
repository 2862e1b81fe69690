"""What stands between a client and the application: TLS, the uwsgi protocol behind nginx, static files.

    python3 bench/edge.py [--seconds N] [--rounds N] [tls] [uwsgi] [static] [crowd]

tls     hello over TLS on 32 kept connections
uwsgi   hello through nginx, which reaches the server with uwsgi_pass (and, to compare, with proxy_pass)
static  a file of 1 MB, without Python, beside nginx itself
crowd   hello, while 500 connections are idle and 200 dribble their heads (bench/slow.py has more of that)

The server has one core; wrk, and nginx where it is in front, share the other. CPU is the server's own, per request.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from load import parse
from slow import Crowd

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-bench"
PORT, FRONT = 18890, 18891

PYHOST = "{root}/bin/pyhost --python {bin}/python --chdir {root}/pyapps/bench_wsgi -w 1 -b {bind} {more} app:hello"
GUNICORN = "{bin}/gunicorn --no-control-socket --chdir {root}/pyapps/bench_wsgi -w 1 -b 127.0.0.1:{port} {more} " \
           "app:hello"
GRANIAN = "{bin}/granian --interface wsgi --host 127.0.0.1 --port {port} --http 1 --no-ws --workers 1 {more} " \
          "--working-dir {root}/pyapps/bench_wsgi app:hello"
WAITRESS = "{bin}/waitress-serve --listen 127.0.0.1:{port} {more} app:hello"
NGINX = "nginx -p {folder} -c {folder}/{more} -e error.log"
PAIR = "--certfile {folder}/cert.pem --keyfile {folder}/key.pem"

# name: (command line, more arguments, what nginx in front passes with, URL path)
CASES = {
    "tls": {
        "pyhost sync": (PYHOST, PAIR, None, "/"),
        "pyhost gthread, 4 threads": (PYHOST, PAIR + " -k gthread --threads 4", None, "/"),
        "gunicorn gthread, 4 threads": (GUNICORN, PAIR + " -k gthread --threads 4", None, "/"),
        "granian": (GRANIAN,
                    "--ssl-certificate {folder}/cert.pem --ssl-keyfile {folder}/key.pem", None, "/"),
    },
    "uwsgi": {
        "pyhost sync, uwsgi_pass": (PYHOST.replace("{bind}", "uwsgi://127.0.0.1:{port}"), "", "uwsgi_pass", "/"),
        "pyhost sync, proxy_pass": (PYHOST, "--keep-alive 75", "proxy_pass", "/"),
        "uWSGI, uwsgi_pass": ("{bin}/uwsgi --socket 127.0.0.1:{port} --home {venv} --master --need-app --die-on-term "
                              "--disable-logging --processes 1 --chdir {root}/pyapps/bench_wsgi --module app:hello",
                              "", "uwsgi_pass", "/"),
    },
    "static": {
        "pyhost sync": (PYHOST, "--static /files={folder}/files", None, "/files/large"),
        "nginx": (NGINX, "static.conf", None, "/files/large"),
    },
    "crowd": {
        "pyhost sync": (PYHOST, "", None, "/"),
        "pyhost gthread, 4 threads": (PYHOST, "-k gthread --threads 4", None, "/"),
        "gunicorn gthread, 4 threads": (GUNICORN, "-k gthread --threads 4", None, "/"),
        "granian, 4 threads": (GRANIAN, "--blocking-threads 4", None, "/"),
        "waitress, 4 threads": (WAITRESS, "--threads 4 --connection-limit 1000", None, "/"),
    },
}

HEAD = "daemon off;\nuser {user};\nworker_processes 1;\npid {name}.pid;\nevents {{ worker_connections 256; }}\n" \
       "http {{\n" \
       "access_log off;\nuwsgi_temp_path u;\nproxy_temp_path p;\nfastcgi_temp_path f;\nscgi_temp_path s;\n" \
       "client_body_temp_path c;\nsendfile on;\nkeepalive_requests 1000000;\n"


def prepare(folder: Path) -> None:
    """Makes certificate, file and nginx's configurations."""
    (folder / "files").mkdir()
    (folder / "files/large").write_bytes(os.urandom(1 << 20))
    folder.chmod(0o755)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                   check=True, capture_output=True)
    user = "root" if os.getuid() == 0 else "nobody"
    params = Path("/etc/nginx/uwsgi_params").read_text()
    upstream = f"upstream app {{ server 127.0.0.1:{PORT}; keepalive 32; }}\n"
    for name in ("uwsgi_pass", "proxy_pass"):
        scheme = "http://" if name == "proxy_pass" else ""
        extra = params if name == "uwsgi_pass" else 'proxy_http_version 1.1; proxy_set_header Connection "";'
        (folder / f"{name}.conf").write_text(
            HEAD.format(user=user, name=name) + upstream +
            f"server {{ listen 127.0.0.1:{FRONT}; location / {{ {name} {scheme}app;\n{extra}\n}} }}\n}}\n")
    (folder / "static.conf").write_text(
        HEAD.format(user=user, name="static") + f"server {{ listen 127.0.0.1:{PORT}; root {folder}; }}\n}}\n")


def start(words: str, core: int, port: int, folder: Path) -> subprocess.Popen:
    """A process group on one core, which listens."""
    process = subprocess.Popen(["taskset", "-c", str(core), *shlex.split(words)], cwd=folder, start_new_session=True,
                               env={**os.environ, "PYTHONPATH": str(ROOT / "pyapps/bench_wsgi")},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            time.sleep(1)  # the listener is open before the application is loaded
            return process
        except OSError:
            time.sleep(0.1)
    stop(process)
    raise SystemExit(f"does not come up: {words}")


def stop(process: subprocess.Popen) -> None:
    """Ends the group."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def cpu(group: int) -> float:
    """Seconds of CPU time that a process group has used."""
    ticks = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(kind: str, case: tuple, folder: Path, seconds: int, rounds: int) -> str:
    """One server: requests per second, CPU per request, latency."""
    command, more, front, path = case
    names = {"root": ROOT, "bin": VENV / "bin", "venv": VENV, "port": PORT, "folder": folder}
    names["bind"] = f"127.0.0.1:{PORT}"
    server = start(command.format(**names, more=more.format(**names)).replace("{port}", str(PORT)), 0, PORT, folder)
    proxy = front and start(NGINX.format(folder=folder, more=front + ".conf"), 1, FRONT, folder)
    crowd = Crowd(heads=200, bodies=0, readers=0, idle=500, port=PORT) if kind == "crowd" else None
    url = f"http{'s' if kind == 'tls' else ''}://127.0.0.1:{FRONT if front else PORT}{path}"
    rates, costs, tails = [], [], []
    try:
        for _ in range(rounds):
            before = cpu(server.pid)
            wrk = subprocess.run(["taskset", "-c", "1", "wrk", "--latency", "-t1", "-c32", f"-d{seconds}s", url],
                                 check=True, capture_output=True, text=True)
            run = parse(wrk.stdout)
            if run.refused or run.errors or not run.requests:
                return f"failed: {run}"
            rates.append(run.per_second)
            costs.append((cpu(server.pid) - before) / run.requests * 1e6)
            tails.append(run.p99)
    finally:
        if crowd:
            crowd.end()
        stop(server)
        if proxy:
            stop(proxy)
    return f"{statistics.median(rates):,.0f} | {statistics.median(costs):.1f} | {statistics.median(tails) / 1000:.1f}"


def main() -> None:
    """Prints a table for each case."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("case", nargs="*", choices=[*CASES, []])
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pyhost-edge") as name:
        folder = Path(name)
        prepare(folder)
        for case in options.case or CASES:
            print(f"\n| {case} | requests/s | CPU us per request | p99 ms |\n|---|---|---|---|")
            for server, settings in CASES[case].items():
                result = measure(case, settings, folder, options.seconds, options.rounds)
                print(f"| {server} | {result} |", flush=True)


if __name__ == "__main__":
    main()
