#!/usr/bin/env python3
"""Where the time of a request goes, in nanoseconds: `make profile` writes docs/profile.md and its flame graphs.

For development: bench/budget.py --rows hello --seconds 2 prints the table only.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import flame
import machine
import sampling
from check import check
from contenders import CONTENDERS, ROOT, VENV, installed_versions
from load import Generator, LoadError
from processes import Server, StartError, cpu_seconds, tree
from report import markdown_table, text_table
from rows import ROWS
from run import leave_on_signals, missing, say
from sampling import SamplingError, Stack
from speed import WARM_UP, Bench, request

COLUMNS = ("hello", "hello-log", "headers", "generator", "flask", "django")
FLAMES = {"hello": "hello", "flask": "Flask hello", "django": "Django hello"}
# Samples per second, and bytes of the stack that are looked through: those of frameworks are deep.
DEPTHS = {False: (2500, sampling.SHALLOW), True: (800, sampling.DEEP)}
PAGE = Path(__file__).resolve().parent / "profile.md"

# What a sample counts for: the innermost of its frames that a pattern matches decides. A frame is written as its name,
# a blank, and the name of the frame that it called.
PARTS = (
    ("poll", r"__x64_sys_epoll|workers/socket\.Poll|unix\.EpollWait|workers\.\(\*thread\)\.wait"),
    ("read", r"__x64_sys_(recv|read)|workers/socket\.[rR]eceive"),
    ("write", r"__x64_sys_(send|write|timerfd)|(push|transmit|ph_output\w*|ph_cork\w*|stand_guard) "),
    ("parse, validate", r".*protocol/http1|.*valyala/fasthttp"),
    ("encode", r".*pyhost/wsgi\."),
    ("environ", r"ph_environ|ph_conn|ph_call _?Py_De|ph_call dict_dealloc"),
    ("start_response", r"ph_start_response|start_response|ph_token|start |token_"),
    ("serialise", r"ph_head|ph_buffer|take_header|put_"),
    ("iterate", r"ph_body|deliver|close_iterable"),
    ("application", r"(run|call_application) "),
    ("log", r".*pyhost/logging\.|.*workers\.\(\*accessRecord\)"),
    ("hand over", r"runtime\.(cgocall|asmcgocall|entersyscall|exitsyscall|reentersyscall)|ph_call |.*embedpy\.|begin |"
                  r"finish |ph_gil|ph_turn"),
    ("keep books", r".*pyhost/workers"),
    ("Go's runtime", r"runtime\."),
)
RULES = [(name, re.compile(pattern)) for name, pattern in PARTS]
MEANING = {
    "poll": "`epoll_pwait`, shared by all requests that it finds", "read": "`recvfrom`",
    "parse, validate": "`protocol/http1`, in one pass",
    "encode": "`wsgi`: the request becomes the frame of the environ", "hand over": "cgo, the GIL, the exchange",
    "environ": "the dict, made and given back", "application": "Python: the application, its framework",
    "start_response": "its check of status and headers, its token", "serialise": "the response's head",
    "iterate": "the application's iterable, `close()`", "write": "`sendto`, down to the other side's socket",
    "log": "a line of the access log", "keep books": "connections, scoreboard, limits",
    "Go's runtime": "scheduler, clock, memory", "other": "interrupts and what cannot be told",
}


def part_of(stack: Stack) -> str:
    """The part of the request that a sample belongs to."""
    called = ""
    for frame in stack:
        text = f"{frame.name} {called}"
        for name, rule in RULES:
            if rule.match(text):
                return name
        called = frame.name
    return "other"


@dataclasses.dataclass(frozen=True)
class Profile:
    """One row: CPU in ns per request, and how its samples are distributed."""

    nanoseconds: float
    parts: Counter

    def of(self, part: str) -> float:
        """Nanoseconds per request in the part."""
        return self.nanoseconds * self.parts[part] / sum(self.parts.values())


def start(server: Server, row) -> None:
    """Starts a server and waits for its first answer: before that it may have no worker yet."""
    server.start()
    answer = check(server.port, row)
    if answer.problem:
        raise StartError(f"{row.name}: {answer.problem}")


class Load:
    """Requests for a server, from the moment it is made until the end of the block."""

    def __init__(self, bench: Bench, row, port: int):
        command = bench.generator.command(port, 60, **request(row))
        self.wrk = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def __enter__(self):
        time.sleep(WARM_UP)
        return self

    def __exit__(self, *exception):
        self.wrk.terminate()
        self.wrk.wait()


def profile(bench: Bench, row, seconds: int) -> Profile:
    """Measures a row: the CPU per request first, without perf, which costs some itself."""
    with tempfile.TemporaryDirectory() as folder:
        server = bench.server(OURS, row)
        try:
            start(server, row)
            bench.generator.warm_up(server.port, WARM_UP, **request(row))
            before = cpu_seconds(server.pid)
            load = bench.generator.run(server.port, seconds, **request(row))
            cost = (cpu_seconds(server.pid) - before) / load.requests * 1e9
            with Load(bench, row, server.port):
                rate, room = DEPTHS[row.group == "frameworks"]
                stacks = sampling.sample(pids(server), Path(folder), seconds, rate, room)
        finally:
            server.stop()
    say(f"  {row.name}: {cost:.0f} ns, {len(stacks)} samples")
    return Profile(cost, Counter(map(part_of, stacks)))


def pids(server: Server) -> list[int]:
    """The processes of a server."""
    return [process.pid for process in tree(server.pid)]


def graph(bench: Bench, row, title: str, python: Path, seconds: int, into: Path) -> None:
    """Writes the flame graph of a row."""
    server = bench.server(OURS, row)
    jitted = version(python) >= (3, 13)
    server.command = [str(python) if word == str(VENV / "bin/python") else word for word in server.command]
    if jitted:
        server.command = ["env", "PYTHON_PERF_JIT_SUPPORT=1", *server.command]
    before = sampling.jitted_files()
    with tempfile.TemporaryDirectory() as folder:
        try:
            start(server, row)
            with Load(bench, row, server.port):
                stacks = sampling.sample(pids(server), Path(folder), seconds, *DEPTHS[True], jitted)
        finally:
            server.stop()
            sampling.forget_jitted(before)
    into.write_text(flame.draw(f"{title}: pyhost, sync, CPython {'.'.join(map(str, version(python)))}", stacks))
    say(f"  {into.name}: {len(stacks)} samples, {into.stat().st_size // 1000} kB")


def version(python: Path) -> tuple[int, int]:
    """Major and minor version of an interpreter."""
    code = "import sys; print(*sys.version_info[:2])"
    output = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout
    major, minor = output.split()
    return int(major), int(minor)


def python_for_graphs() -> Path:
    """One that can tell perf about its functions and has the frameworks, or the benchmark's."""
    for candidate in sorted((ROOT / ".venvs").glob("3.1[3-9]/bin/python")):
        done = subprocess.run([str(candidate), "-c", "import django, flask"], capture_output=True)
        if not done.returncode:
            return candidate
    return VENV / "bin/python"


def table(profiles: dict[str, Profile]) -> tuple[list[str], list[list[str]]]:
    """Header and cells: a line for each part of a request."""
    names = ["poll", "read", "parse, validate", "encode", "hand over", "environ", "application", "start_response",
             "serialise", "iterate", "write", "log", "keep books", "Go's runtime", "other"]
    cells = [[name, *(f"{p.of(name):,.0f}" for p in profiles.values()), MEANING[name]] for name in names]
    cells.append(["all", *(f"{p.nanoseconds:,.0f}" for p in profiles.values()), ""])
    return ["part", *profiles, "what"], cells


OURS = next(contender for contender in CONTENDERS if contender.name == "pyhost-sync")


def arguments(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [row.name for row in ROWS]
    parser.add_argument("--rows", type=lambda text: text.split(","), default=list(COLUMNS), metavar="ROW,...")
    parser.add_argument("--seconds", type=int, default=4, help="that each row is sampled (default 4)")
    parser.add_argument("--cores", default="0,1", metavar="S,L", help="cores of server and load (default 0,1)")
    parser.add_argument("--pyhost", type=Path, default=ROOT / "bin/pyhost", help="binary (default bin/pyhost)")
    parser.add_argument("--python", type=Path, help="for the flame graphs (default .venvs/3.13, if it is there)")
    parser.add_argument("--docs", type=Path, metavar="FOLDER", help="write profile.md and flame graphs there")
    options = parser.parse_args(argv)
    for name in options.rows:
        if name not in known:
            parser.error(f"no row {name}; there are {', '.join(known)}")
    return options


def main(argv: list[str]) -> int:
    """Profiles the rows, prints the table, and writes the page if asked to."""
    leave_on_signals()
    options = arguments(argv)
    sampling.require_perf()
    if lacking := missing():
        raise SamplingError(lacking)
    server_core, load_core = map(int, options.cores.split(","))
    rows = {row.name: row for row in ROWS}
    with tempfile.TemporaryDirectory() as logs:
        bench = Bench(Generator(load_core, 32), server_core, options.pyhost.resolve(),
                      installed_versions(options.pyhost), Path(logs), say)
        profiles = {name: profile(bench, rows[name], options.seconds) for name in options.rows}
        print(text_table(*table(profiles)))
        if options.docs:
            python = options.python or python_for_graphs()
            for name, title in FLAMES.items():
                graph(bench, rows[name], title, python, options.seconds, options.docs / f"profile-{name}.svg")
            page = PAGE.read_text().replace("{table}", markdown_table(*table(profiles)))
            page = page.replace("{machine}", describe(bench))
            (options.docs / "profile.md").write_text(page)
    return 0


def describe(bench: Bench) -> str:
    """Machine and versions in one paragraph."""
    facts = machine.describe()
    versions = ", ".join(f"{name} {bench.versions[name]}" for name in ("python", "flask", "django")
                         if name in bench.versions)
    return f"{facts['processor']}, {facts['system']}; {versions}."


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (SamplingError, StartError, LoadError) as error:
        sys.exit(f"budget.py: error: {error}")
