"""The servers that are compared: their command lines and where their versions come from."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from props import paths

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-bench"
# The contender that does nothing but epoll, read and write: every row is also shown as a multiple of its CPU.
FLOOR = "floor"
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")


@dataclass(frozen=True)
class Contender:
    """A server with its command line.

    The placeholders of `template` are {bin} (the venv's scripts), {venv}, {bench} (this folder), {pyhost}, {port},
    {bind} (127.0.0.1 with that port, or a unix socket), {socket} (that socket's path), {app}, {log} and those of
    props.paths. `options` are the further arguments that a row's `option` means to it, which go before the last one.
    `rival` is the pyhost contender of the same shape, the one that the ratios are taken against. `rows` are the rows
    that it takes part in; empty means all that want it.
    """

    name: str
    distribution: str
    template: str
    rival: str = "pyhost-sync"
    rows: tuple[str, ...] = ()
    options: dict[str, str] = field(default_factory=dict)

    def in_row(self, name: str, peers: tuple[str, ...]) -> bool:
        """Whether it takes part in the row of that name, which wants these peers."""
        return (not self.rows or name in self.rows) and (not peers or self.name in peers)

    def command(self, pyhost: Path, port: int, app: str, option: str = "", **places: str) -> list[str]:
        """The command line for one server on 127.0.0.1:`port`, or where `places` has a {bind} of its own."""
        values = {"bin": VENV / "bin", "venv": VENV, "bench": ROOT / "bench", "pyhost": pyhost, "port": port,
                  "bind": f"127.0.0.1:{port}", "app": app, **places}
        return [word.format(**values) for word in self._words(option)]

    def shown(self, option: str = "") -> str:
        """The command line for a shell in which $REPO, $PORT, $APP and $FILES are set."""
        words = " ".join(f"'{word}'" if " " in word else word for word in self._words(option))
        return words.format(bin="$REPO/.venv-bench/bin", venv="$REPO/.venv-bench", bench="$REPO/bench",
                            pyhost="$REPO/bin/pyhost", port="$PORT", bind="127.0.0.1:$PORT", app="$APP",
                            socket="$FILES/app.sock", log="$FILES/access.log", **paths("$FILES"))

    def _words(self, option: str) -> list[str]:
        words = shlex.split(self.template)
        words[-1:-1] = shlex.split(self.options.get(option, ""))
        return words

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
LOG = "--access-logfile {log}"
PAIR = "--certfile {cert} --keyfile {key}"
GRANIAN_PAIR = "--ssl-certificate {cert} --ssl-keyfile {key}"
# A crowd of more than a hundred connections is too large for waitress's default.
ROOMY = "--connection-limit 1000"
# --http-socket closes each connection without saying so; the header tells wrk, which would count it as an error.
UWSGI_SELF = "--home {venv} --master --need-app --die-on-term --disable-logging "
UWSGI = "{bin}/uwsgi --http-socket 127.0.0.1:{port} " + UWSGI_SELF + "--add-header 'Connection: close' "

CONTENDERS = (
    Contender("pyhost-sync", "pyhost", PYHOST + "-w 1 -k sync {app}",
              options={"log": LOG, "tls": PAIR, "static": "--static /files={files}"}),
    Contender("pyhost-gthread", "pyhost", PYHOST + "-w 1 -k gthread --threads 4 {app}", "pyhost-gthread",
              options={"tls": PAIR}),
    Contender("gunicorn-sync", "gunicorn", GUNICORN + "-w 1 -k sync {app}", options={"log": LOG}),
    Contender("gunicorn-gthread", "gunicorn", GUNICORN + "-w 1 -k gthread --threads 4 {app}", "pyhost-gthread",
              options={"tls": PAIR}),
    Contender("uwsgi", "uwsgi", UWSGI + "--workers 1 --module {app}"),
    # Its own protocol, which only a server in front speaks.
    Contender("uwsgi-socket", "uwsgi", "{bin}/uwsgi --socket {socket} " + UWSGI_SELF + "--workers 1 --module {app}",
              rows=("hello-uwsgi",)),
    # Its access log goes to its standard output, which is a file as well.
    Contender("granian-1", "granian", GRANIAN + "--workers 1 --blocking-threads 1 {app}",
              options={"log": "--access-log --log-level info", "tls": GRANIAN_PAIR}),
    Contender("granian-4", "granian", GRANIAN + "--workers 1 --blocking-threads 4 {app}", "pyhost-gthread",
              options={"tls": GRANIAN_PAIR}),
    Contender("bjoern", "bjoern", "{bin}/python {bench}/serve.py bjoern {port} {app}"),
    Contender("fastwsgi", "fastwsgi", "{bin}/python {bench}/serve.py fastwsgi {port} {app}"),
    Contender("waitress", "waitress", "{bin}/waitress-serve --listen 127.0.0.1:{port} --threads 4 {app}",
              "pyhost-gthread", options={"crowd": ROOMY}),
    Contender("nginx", "nginx", "{bin}/python {bench}/serve.py nginx {port} {files}", rows=("static",)),
    Contender("fasthttp", "fasthttp", "{venv}/fasthttp {port}", rows=("hello", "hello-close")),
    Contender(FLOOR, "floor", "{venv}/floor -w 1 {port} {app}"),
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
    if NGINX:
        # nginx -v writes to its standard error.
        versions["nginx"] = _output([NGINX, "-v"], subprocess.STDOUT).rpartition("/")[2]
    if (VENV / "floor").exists():
        versions["floor"] = "in C"
    return versions


def _output(command: list, errors: int = subprocess.DEVNULL) -> str:
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=20,
                              check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
