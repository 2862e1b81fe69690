"""The servers that are compared: their command lines and where their versions come from."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-bench"
# The contender that does nothing but epoll, read and write: every row is also shown as a multiple of its CPU.
FLOOR = "floor"


@dataclass(frozen=True)
class Contender:
    """A server with its command line.

    The placeholders of `template` are {bin} (the venv's scripts), {venv}, {bench} (this folder), {pyhost}, {port},
    {bind} (127.0.0.1 with that port, or a unix socket), {app} and {log}. `access` makes it log every request to the
    file {log}, or to its standard output, which is a file as well; empty if that is not measured. `rival` is the
    pyhost contender of the same shape, the one that the ratios are taken against. `rows` are the rows that it takes
    part in; empty means all that want it.
    """

    name: str
    distribution: str
    template: str
    rival: str = "pyhost-sync"
    rows: tuple[str, ...] = ()
    access: str = ""

    def in_row(self, name: str, peers: tuple[str, ...]) -> bool:
        """Whether it takes part in the row of that name, which wants these peers."""
        return (not self.rows or name in self.rows) and (not peers or self.name in peers)

    def command(self, pyhost: Path, port: int, app: str, socket: str = "", log: str = "") -> list[str]:
        """The command line for one server on 127.0.0.1:`port`, or on the unix socket of that path.

        With `log` it writes its access log there.
        """
        values = {"bin": VENV / "bin", "venv": VENV, "bench": ROOT / "bench", "pyhost": pyhost, "port": port,
                  "bind": f"unix:{socket}" if socket else f"127.0.0.1:{port}", "app": app, "log": log}
        words = shlex.split(self.template)
        if log:
            words[-1:-1] = shlex.split(self.access)
        return [word.format(**values) for word in words]

    def shown(self) -> str:
        """The command line for a shell in which $REPO, $PORT and $APP are set."""
        return self.template.format(bin="$REPO/.venv-bench/bin", venv="$REPO/.venv-bench", bench="$REPO/bench",
                                    pyhost="$REPO/bin/pyhost", port="$PORT", bind="127.0.0.1:$PORT", app="$APP")

    def missing(self, pyhost: Path, versions: dict[str, str]) -> str | None:
        """Why it cannot take part, or None."""
        if self.distribution in versions:
            return None
        if self.distribution == "pyhost":
            return f"{pyhost} does not run: make build"
        return failed_installs().get(self.distribution, "not installed: bench/setup.sh")


PYHOST = "{pyhost} --python {bin}/python -b {bind} "
# The control socket is a thread in the master and a file in the home directory: gunicorn is leaner without.
GUNICORN = "{bin}/gunicorn -b {bind} --no-control-socket "
GRANIAN = "{bin}/granian --interface wsgi --host 127.0.0.1 --port {port} --http 1 --no-ws --log-level warning "
TO_FILE = "--access-logfile {log}"
# --http-socket closes each connection without saying so; the header tells wrk, which would count it as an error.
UWSGI = ("{bin}/uwsgi --http-socket 127.0.0.1:{port} --home {venv} --master --need-app --die-on-term --disable-logging "
         "--add-header 'Connection: close' ")

CONTENDERS = (
    Contender("pyhost-sync", "pyhost", PYHOST + "-w 1 -k sync {app}", access=TO_FILE),
    Contender("pyhost-gthread", "pyhost", PYHOST + "-w 1 -k gthread --threads 4 {app}", "pyhost-gthread"),
    Contender("gunicorn-sync", "gunicorn", GUNICORN + "-w 1 -k sync {app}", access=TO_FILE),
    Contender("gunicorn-gthread", "gunicorn", GUNICORN + "-w 1 -k gthread --threads 4 {app}", "pyhost-gthread"),
    Contender("uwsgi", "uwsgi", UWSGI + "--workers 1 --module {app}"),
    Contender("granian-1", "granian", GRANIAN + "--workers 1 --blocking-threads 1 {app}",
              access="--access-log --log-level info"),
    Contender("granian-4", "granian", GRANIAN + "--workers 1 --blocking-threads 4 {app}", "pyhost-gthread"),
    Contender("bjoern", "bjoern", "{bin}/python {bench}/serve.py bjoern {port} {app}"),
    Contender("fastwsgi", "fastwsgi", "{bin}/python {bench}/serve.py fastwsgi {port} {app}"),
    Contender("waitress", "waitress", "{bin}/waitress-serve --listen 127.0.0.1:{port} --threads 4 {app}",
              "pyhost-gthread"),
    Contender("fasthttp", "fasthttp", "{venv}/fasthttp {port}", rows=("hello", "hello-close")),
    Contender(FLOOR, "floor", "{venv}/floor {port} {app}"),
)

MEMORY_CONTENDERS = (
    Contender("pyhost", "pyhost", PYHOST + "-w 4 -k sync {app}", "pyhost"),
    Contender("pyhost-preload", "pyhost", PYHOST + "-w 4 -k sync --preload {app}", "pyhost-preload"),
    Contender("gunicorn", "gunicorn", GUNICORN + "-w 4 -k sync {app}", "pyhost"),
    Contender("gunicorn-preload", "gunicorn", GUNICORN + "-w 4 -k sync --preload {app}", "pyhost-preload"),
    Contender("uwsgi-lazy", "uwsgi", UWSGI + "--workers 4 --lazy-apps --module {app}", "pyhost"),
    Contender("uwsgi-prefork", "uwsgi", UWSGI + "--workers 4 --module {app}", "pyhost-preload"),
    Contender("granian", "granian", GRANIAN + "--workers 4 --blocking-threads 1 {app}", "pyhost"),
)


def failed_installs() -> dict[str, str]:
    """What bench/setup.sh could not install, and why."""
    try:
        lines = (VENV / "missing.txt").read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split("\t", 1) for line in lines if "\t" in line)


def installed_versions(pyhost: Path) -> dict[str, str]:
    """The versions of everything that takes part, by distribution name in lower case."""
    code = ("import importlib.metadata as m, json, platform;"
            "print(json.dumps({'python': platform.python_version(),"
            " **{d.metadata['Name'].lower(): d.version for d in m.distributions()}}))")
    versions = {}
    listing = _output([VENV / "bin/python", "-c", code])
    if listing:
        versions = json.loads(listing)
    banner = _output([pyhost, "--version"])
    if banner:
        versions["pyhost"] = banner.split()[-1].strip("()")
    if (VENV / "fasthttp").exists():
        module = (ROOT / "go.mod").read_text()
        versions["fasthttp"] = module.split("valyala/fasthttp ", 1)[1].split()[0]
    if (VENV / "floor").exists():
        versions["floor"] = "in C"
    return versions


def _output(command: list) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
