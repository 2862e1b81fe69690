#!/usr/bin/env python3
"""Compares pyhost with its peers: `make bench`, or `bench/setup.sh && python3 bench/run.py`.

For development: bench/run.py --rows hello --only pyhost-sync,fastwsgi --rounds 3 --seconds 2
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import chart
import lifecycle
import machine
import props
import report
import scale
from contenders import CONTENDERS, MEMORY_CONTENDERS, ROOT, VENV, installed_versions
from load import Generator
from memory import REQUESTS, measure_memory
from rows import MEMORY, ROWS
from speed import WARM_UP, Bench, measure_row

# Measured by programs of their own; see there.
EXTRAS = {"lifecycle": lifecycle, "scale": scale}
FULL = {row.name for row in ROWS if row.full} | {"scale"}

# Cores' worth of CPU that other programs may use before the figures are doubtful.
QUIET = 0.1


def arguments(argv: list[str]) -> argparse.Namespace:
    """The command line, with names checked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    rows = [row.name for row in ROWS] + [MEMORY.name, *EXTRAS]
    servers = [contender.name for contender in CONTENDERS + MEMORY_CONTENDERS]
    parser.add_argument("--rows", type=names("row", rows), help="of " + ",".join(rows))
    parser.add_argument("--full", action="store_true", help="all rows; without, those that fit into ten minutes")
    parser.add_argument("--only", type=names("server", servers), default=servers, help="of " + ",".join(servers))
    parser.add_argument("--rounds", type=int, metavar="N", help="turns of each server in a row (default 3, or 5)")
    parser.add_argument("--seconds", type=int, metavar="N", help="time measured per turn (default 1)")
    parser.add_argument("--connections", type=int, default=32, metavar="N", help="of wrk (default 32)")
    parser.add_argument("--cores", default="0,1", metavar="S,L", help="cores of server and load (default 0,1)")
    parser.add_argument("--pyhost", type=Path, default=ROOT / "bin/pyhost", help="binary (default bin/pyhost)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the page docs/performance.md there")
    options = parser.parse_args(argv)
    if options.rows is None:
        options.rows = [name for name in rows if options.full or name not in FULL]
    try:
        options.server_core, options.wrk_core = map(int, options.cores.split(","))
    except ValueError:
        parser.error(f"--cores {options.cores}: two numbers with a comma between")
    absent = {options.server_core, options.wrk_core} - os.sched_getaffinity(0)
    if absent or options.server_core == options.wrk_core:
        parser.error(f"--cores {options.cores}: two different cores of {sorted(os.sched_getaffinity(0))} are needed")
    return options


def missing() -> str | None:
    """What the benchmark needs and this machine lacks, with the way to get it; None if it has all."""
    for tool in ("wrk", "taskset", "openssl"):
        if not shutil.which(tool):
            return f"{tool} is not installed: bench/setup.sh, or apt-get install wrk util-linux openssl"
    return None if VENV.exists() else "no .venv-bench with the peers: run bench/setup.sh first"


def names(kind: str, known: list[str]):
    """A converter for a comma-separated list of known names."""
    def convert(text: str) -> list[str]:
        chosen = text.split(",")
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"no {kind} {name}; there are {', '.join(known)}")
        return chosen
    return convert


def leave_on_signals() -> None:
    """SIGTERM and SIGHUP end the run as Ctrl-C does: every server is stopped on the way out."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def leave(number, frame):
        # One is enough: a second Ctrl-C must not break off the stopping of the servers.
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, leave)


def say(line: str) -> None:
    """One line of progress: stdout is for the tables."""
    print(line, file=sys.stderr, flush=True)


def main(argv: list[str]) -> int:
    """Runs the rows that the command line asks for and prints their tables."""
    leave_on_signals()
    options = arguments(argv)
    if lacking := missing():
        sys.exit(f"run.py: error: {lacking}")
    options.pyhost = options.pyhost.resolve()
    generator = Generator(options.wrk_core, options.connections)
    run = {
        "machine": machine.describe(),
        "versions": installed_versions(options.pyhost),
        "server_prefix": f"taskset -c {options.server_core}",
        "settings": {"server_core": options.server_core, "wrk_core": options.wrk_core,
                     "connections": options.connections, "requests": REQUESTS, "warm_up": WARM_UP},
        "rounds": {row.name: options.rounds or row.rounds for row in ROWS},
        "seconds": {row.name: options.seconds or row.seconds for row in ROWS},
    }
    speed, memory = {}, []
    began, (stolen, ticks) = time.monotonic(), machine.stolen()
    with tempfile.TemporaryDirectory(prefix="bench-") as logs:
        bench = Bench(generator, options.server_core, options.pyhost, run["versions"], Path(logs), say)
        props.prepare(bench.props)
        for row in (row for row in ROWS if row.name in options.rows):
            say(row.title)
            chosen = [c for c in CONTENDERS if c.name in options.only and c.in_row(row.name, row.peers)]
            speed[row.name] = measure_row(bench, row, chosen, run["rounds"][row.name], run["seconds"][row.name])
            print(f"\n{row.title}\n" + report.text_table(report.SPEED, report.speed_cells(speed[row.name])), flush=True)
        chosen = [c for c in MEMORY_CONTENDERS if c.name in options.only]
        if MEMORY.name in options.rows and chosen:
            say(MEMORY.title)
            memory = measure_memory(bench, chosen)
            print(f"\n{MEMORY.title}\n" + report.text_table(report.MEMORY_HEADER, report.memory_cells(memory)))
        extras = [module.measure(bench, options.only, options.rounds) for name, module in EXTRAS.items()
                  if name in options.rows]
        for extra in extras:
            print(f"\n{extra.title}\n" + report.text_table(extra.header, extra.cells))
    after = machine.stolen()
    run["stolen"] = (after[0] - stolen) / max(1, after[1] - ticks)
    samples = [sample.foreign for results in speed.values() for result in results for sample in result.samples]
    run["foreign"] = statistics.median(samples) if samples else 0.0
    say(f"took {time.monotonic() - began:.0f} s")
    if run["foreign"] > QUIET:
        say(f"warning: other programs used {run['foreign']:.2f} cores meanwhile: trust only the CPU figures, roughly")
    write(options, run, speed, memory, extras)
    return 0


def write(options: argparse.Namespace, run: dict, speed: dict, memory: list, extras: list) -> None:
    """The files that the command line asks for."""
    if options.json:
        rows = {name: [result.as_json() for result in results] for name, results in speed.items()}
        data = {**run, "rows": rows, "memory": [dataclasses.asdict(result) for result in memory],
                "extras": [dataclasses.asdict(table) for table in extras]}
        options.json.write_text(json.dumps(data, indent=1) + "\n")
    if options.markdown:
        drawn = chart.draw(speed, options.markdown.parent)
        options.markdown.write_text(report.markdown(run, speed, memory, extras, drawn))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
