"""Measuring memory: one server after another, four Django workers, idle and after some 20,000 requests."""

from __future__ import annotations

import time

from check import check
from contenders import Contender
from load import LoadError
from processes import Server, StartError, cpu_by_process, pss_bytes, stop_all, tree
from results import Memory
from rows import MEMORY
from speed import Bench

# At least so many, in seconds of load: wrk cannot stop after a number of requests.
REQUESTS = 20000
ATTEMPTS = 12
WORKERS = 4


def measure_memory(bench: Bench, contenders: list[Contender]) -> list[Memory]:
    """Measures all contenders; every one has a result, if only to say why it has no figures."""
    results = []
    for contender in contenders:
        result = Memory(contender.name, contender.rival)
        results.append(result)
        missing = contender.missing(bench.pyhost, bench.versions)
        if missing:
            result.kind, result.problem = "missing", missing
            bench.say(f"  {result.name}: missing: {missing}")
            continue
        server = bench.server(contender, MEMORY)
        try:
            _measure(bench, server, result)
        except (StartError, LoadError) as error:
            result.kind, result.problem = "failed", str(error)
        finally:
            stop_all([server])
        bench.say(f"  {result.name}: {result.problem or f'{result.idle >> 20} MiB, {result.loaded >> 20} MiB'}")
    return results


def _measure(bench: Bench, server: Server, result: Memory) -> None:
    server.start()
    # An answer first: some workers may still import the application when the port is open.
    answer = check(server.port, MEMORY)
    result.idle = _settled(server)
    result.processes = len(tree(server.pid))
    if answer.problem:
        result.kind, result.problem = "wrong", answer.problem
        return
    before = cpu_by_process(server.pid)
    for _ in range(ATTEMPTS):
        load = bench.generator.run(server.port, 1, headers=MEMORY.headers)
        result.requests += load.requests
        if load.refused:
            result.kind, result.problem = "wrong", f"{load.refused} of {load.requests} answers were not 2xx"
        if result.requests >= REQUESTS:
            break
    after = cpu_by_process(server.pid)
    result.loaded = _settled(server)
    used = {pid: seconds - before.get(pid, 0.0) for pid, seconds in after.items()}
    # A worker that had no share of the requests has not loaded what the first request loads.
    active = sum(seconds > 0.02 * sum(used.values()) for seconds in used.values())
    if active < WORKERS:
        result.notes.append(f"{active} of {WORKERS} workers did the work")


def _settled(server: Server, deadline: float = 15.0) -> int:
    """PSS of the tree once it has stopped growing: the same within 0.5 % three times, a quarter second apart."""
    end = time.monotonic() + deadline
    readings = [pss_bytes(server.pid)]
    while time.monotonic() < end:
        time.sleep(0.25)
        readings.append(pss_bytes(server.pid))
        last = readings[-4:]
        if len(last) == 4 and max(last) - min(last) <= 0.005 * max(last):
            break
    return readings[-1]
