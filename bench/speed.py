"""Measuring one row: each server checked alone, then all together, A B C .. A B C .."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import time
from dataclasses import dataclass, field
from pathlib import Path

import conduct
from check import check
from contenders import FLOOR, ROOT, Contender
from front import Fronted, bind
from load import Generator, LoadError
from processes import Server, StartError, cpu_seconds, free_port, machine_busy_seconds, pss_bytes, stop_all
from props import paths
from results import Result, Sample
from rows import Row
from slow import Crowd

# Seconds of load before anything is measured: lazy imports, caches, the specialising interpreter.
WARM_UP = 0.4


@dataclass(frozen=True)
class Bench:
    """What all rows share.

    `say` prints one line of progress; `props` is the folder of props.prepare; `conduct` has what conduct.observe
    remarked on each contender, by name.
    """

    generator: Generator
    server_core: int
    pyhost: Path
    versions: dict[str, str]
    logs: Path
    say: object = print
    conduct: dict[str, list[str]] = field(default_factory=dict)

    @property
    def props(self) -> Path:
        return self.logs / "props"

    def server(self, contender: Contender, row: Row, seed: int = 0) -> Server:
        """A server for the row, not started. `seed` as in Server."""
        port, name = free_port(), f"{row.name}-{contender.name}"
        unix = str(self.logs / f"{name}.sock") if row.front else ""
        cores = f"{self.server_core},{self.generator.core}" if row.wide else str(self.server_core)
        places = {**paths(self.props), "log": str(self.logs / f"{name}.access"), "socket": unix}
        if row.front:
            places["bind"] = bind(row.front, unix)
        command = contender.command(self.pyhost, port, row.app, row.option, **places)
        server = Server(command, ROOT / "pyapps" / row.folder, port, cores, self.logs / f"{name}.log", unix, seed)
        return Fronted(server, row.front, self.logs / f"{name}-nginx", self.generator.core) if row.front else server


def request(row: Row) -> dict:
    """What wrk is told about the row."""
    return {"script": row.script, "headers": row.headers, "connections": row.connections,
            "scheme": row.scheme, "path": row.path}


def measure_row(bench: Bench, row: Row, contenders: list[Contender], rounds: int, seconds: int) -> list[Result]:
    """Measures the row; every contender has a result, if only to say why it has no figures."""
    results = [Result(row.name, contender.name, contender.rival) for contender in contenders]
    for contender, result in zip(contenders, results):
        missing = contender.missing(bench.pyhost, bench.versions)
        if missing:
            result.fail("missing", missing)
            bench.say(f"  {result.name}: missing: {missing}")
    pairs = [(contender, result) for contender, result in zip(contenders, results) if not result.problem]
    (_afresh if row.afresh else _together)(bench, row, pairs, rounds, seconds)
    return results


def _together(bench: Bench, row: Row, pairs: list[tuple[Contender, Result]], rounds: int, seconds: int) -> None:
    """All servers run, and one after the other has its turn."""
    running: list[tuple[Server, Result]] = []
    try:
        for contender, result in pairs:
            if row.memory:
                _alone(bench, row, contender, result)
        for contender, result in pairs:
            if not result.problem:
                running.append((bench.server(contender, row), result))
                _start(bench, row, *running[-1])
        for number in range(1, rounds + 1):
            for server, result in running:
                if not result.problem:
                    _round(bench, row, server, result, seconds, number)
        for server, result in running:
            _check_again(server, row, result)
    finally:
        stop_all([server for server, _ in running])


def _afresh(bench: Bench, row: Row, pairs: list[tuple[Contender, Result]], rounds: int, seconds: int) -> None:
    """Each turn is a new process, alone. Those of one round have the same seed: sets and dicts are laid out alike."""
    for contender, result in pairs:
        if contender.name not in bench.conduct and contender.name != FLOOR:
            bench.conduct[contender.name] = _observe(bench, row, contender)
    for number in range(1, rounds + 1):
        for contender, result in pairs:
            if result.problem:
                continue
            server = bench.server(contender, row, seed=number)
            try:
                _start(bench, row, server, result)
                if row.memory and number == 1 and not result.problem:
                    result.pss = pss_bytes(server.pid)
                if not result.problem:
                    _round(bench, row, server, result, seconds, number)
                    _check_again(server, row, result)
            finally:
                server.stop()


def _observe(bench: Bench, row: Row, contender: Contender) -> list[str]:
    """The remarks of conduct.observe; one who cannot be observed fails in the row as well, which says why."""
    server = bench.server(contender, dataclasses.replace(row, folder=conduct.FOLDER, app=conduct.APP))
    try:
        server.start()
        return conduct.observe(server.port)
    except (StartError, OSError, http.client.HTTPException, ValueError) as error:
        return [f"its conduct is not known: {error}"]
    finally:
        server.stop()


def _check_again(server: Server, row: Row, result: Result) -> None:
    """Whether it answers rightly after the load, too."""
    answer = check(server.port, row)
    if answer.problem:
        result.fail("wrong", f"after the load: {answer.problem}")


def _alone(bench: Bench, row: Row, contender: Contender, result: Result) -> None:
    """Measures its memory: beside servers that map the same libraries its PSS would be less."""
    server = bench.server(contender, row)
    try:
        _start(bench, row, server, result)
        if not result.problem:
            result.pss = pss_bytes(server.pid)
            bench.say(f"  {result.name}: {result.pss / 2**20:.1f} MiB")
    finally:
        server.stop()


def _start(bench: Bench, row: Row, server: Server, result: Result) -> None:
    """Starts it, looks at its answers, and gets it warm."""
    try:
        server.start()
        answer = check(server.port, row)
        if answer.problem:
            result.fail("wrong", answer.problem)
    except StartError as error:
        result.fail("failed", str(error))
    if result.problem:
        bench.say(f"  {result.name}: {result.kind}: {result.problem}")
        return
    result.framing, result.notes = answer.framing, answer.notes(row) + bench.conduct.get(result.name, [])
    bench.generator.warm_up(server.port, WARM_UP, **request(row))


@contextlib.contextmanager
def _crowd(bench: Bench, server: Server):
    """The clients of a row with a crowd, on the load's core. Raises OSError if they are not let in."""
    crowd = Crowd(heads=200, bodies=0, readers=0, idle=500, port=server.port, core=bench.generator.core)
    try:
        yield
    finally:
        crowd.end()


def _round(bench: Bench, row: Row, server: Server, result: Result, seconds: int, number: int) -> None:
    try:
        with _crowd(bench, server) if row.crowd else contextlib.nullcontext():
            cpu, everybody, began = cpu_seconds(server.pid), machine_busy_seconds(), time.monotonic()
            load = bench.generator.run(server.port, seconds, **request(row))
            elapsed, everybody = time.monotonic() - began, machine_busy_seconds() - everybody
            cpu = cpu_seconds(server.pid) - cpu
    except (LoadError, OSError) as error:
        result.fail("failed", f"round {number}: {error}")
        return
    if load.refused:
        result.fail("wrong", f"{load.refused} of {load.requests} answers were not 2xx")
    if not load.requests:
        result.fail("failed", f"round {number}: no answers")
        return
    foreign = everybody / elapsed - cpu / elapsed - load.busy
    result.samples.append(Sample(load, cpu * 1e6 / load.requests, cpu / elapsed, max(0.0, foreign)))
    bench.say(f"  round {number} {result.name}: {load.per_second:.0f}/s, {cpu * 1e6 / load.requests:.1f} us CPU")

