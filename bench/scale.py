"""What a request costs beside thousands of idle connections, and with many workers: it should not depend on either."""

from __future__ import annotations

import resource
import socket
from contextlib import ExitStack
from dataclasses import replace
from statistics import median

from contenders import CONTENDERS, FLOOR, Contender
from load import LoadError
from processes import StartError, cpu_seconds
from results import Table
from rows import ROWS

NAMES = ("pyhost-sync", "pyhost-gthread", "granian-1", "bjoern", "fastwsgi", FLOOR)
IDLE = (0, 1, 1000, 10_000)
WORKERS = (1, 4, 16, 64)
ROUNDS = 3
# Not closed meanwhile, and none refused.
PATIENT = {"pyhost": " --keep-alive 300 --worker-connections 20000"}
TITLE = "Scale: CPU us per request beside idle connections, and with more workers"
ABOUT = ("Row `hello` on 32 busy connections, while so many others have had one answer each and are silent; then with "
         "so many workers, all on the one core. Medians.")
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def measure(bench, only: list[str], rounds: int | None) -> Table:
    """One server after another."""
    header = ["server", *(f"{count:,} idle" for count in IDLE), *(f"{count} workers" for count in WORKERS), "remarks"]
    hold = max(IDLE) + 500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hold <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hold, hard))  # the servers inherit it
    table = []
    for contender in (c for c in CONTENDERS if c.name in NAMES and c.name in only):
        figures, problem = [], contender.missing(bench.pyhost, bench.versions) or ""
        for idle, workers in [(count, 1) for count in IDLE] + [(0, count) for count in WORKERS]:
            cost = ""
            if not problem and scaled(contender, workers):
                try:
                    cost = f"{once(bench, scaled(contender, workers), idle, rounds or ROUNDS):.1f}"
                except (StartError, LoadError, OSError) as error:
                    problem = f"{idle} idle, {workers} workers: {error}"
            figures.append(cost or "-")
        bench.say(f"  {contender.name}: {' '.join(figures)} {problem}")
        table.append([contender.name, *figures, problem])
    return Table(TITLE, ABOUT, header, table)


def scaled(contender: Contender, workers: int) -> Contender | None:
    """The contender with so many workers, or None if it has no setting for that."""
    template = contender.template.replace(" {app}", PATIENT.get(contender.distribution, "") + " {app}")
    if workers == 1:
        return replace(contender, template=template)
    for option in ("-w 1", "--workers 1"):
        if option in template:
            return replace(contender, template=template.replace(option, option[:-1] + str(workers)))
    return None


def once(bench, contender: Contender, idle: int, rounds: int) -> float:
    """CPU microseconds per request beside so many silent connections."""
    server = bench.server(contender, ROWS[0])
    costs = []
    with ExitStack() as stack:
        stack.callback(server.stop)
        server.start()
        for _ in range(idle):
            silent(stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 10)))
        bench.generator.warm_up(server.port, 0.5)
        for _ in range(rounds):
            before = cpu_seconds(server.pid)
            load = bench.generator.run(server.port, 1)
            if load.refused or load.errors or not load.requests:
                raise LoadError(f"{load.requests} answers, {load.refused} not 2xx, {load.errors} socket errors")
            costs.append((cpu_seconds(server.pid) - before) * 1e6 / load.requests)
    return median(costs)


def silent(connection: socket.socket) -> None:
    """Has one answer: what is kept has been used."""
    connection.sendall(REQUEST)
    if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
        raise OSError("an idle connection was not answered")
