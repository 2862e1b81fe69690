"""How long a server of four Django workers takes to start, and to reload upon SIGHUP."""

from __future__ import annotations

import http.client
import signal
import time
from statistics import median

from check import check
from contenders import ROOT, Contender, MEMORY_CONTENDERS
from processes import Server, StartError, free_port, read_process, tree
from results import Table
from rows import MEMORY

NAMES = ("pyhost", "pyhost-preload", "gunicorn", "gunicorn-preload", "uwsgi-lazy", "uwsgi-prefork")
ROUNDS = 3
TITLE = "Start and reload: Django, four workers"
ABOUT = ("`start` is from the command to the first right answer, `reload` from SIGHUP until every process but the "
         "master that ran before is gone and the new ones have answered. Both on all cores, medians of the rounds; the "
         "ratios are pyhost's, in the same mode, divided by that server's.")
HEADER = ["server", "start s", "reload s", "start ratio", "reload ratio", "remarks"]


def measure(bench, only: list[str], rounds: int | None) -> Table:
    """The servers take turns; one that fails has a remark instead of figures."""
    chosen = [c for c in MEMORY_CONTENDERS if c.name in NAMES and c.name in only]
    times: dict[str, list[tuple[float, float]]] = {c.name: [] for c in chosen}
    problems = {c.name: problem for c in chosen if (problem := c.missing(bench.pyhost, bench.versions))}
    for _ in range(rounds or ROUNDS):
        for contender in chosen:
            if contender.name in problems:
                continue
            try:
                times[contender.name].append(once(bench, contender))
            except (StartError, TimeoutError) as error:
                problems[contender.name] = str(error)
                continue
            bench.say("  {}: start {:.2f} s, reload {:.2f} s".format(contender.name, *times[contender.name][-1]))
    return Table(TITLE, ABOUT, HEADER, cells(chosen, times, problems))


def cells(chosen: list[Contender], times: dict, problems: dict) -> list[list[str]]:
    """The table's."""
    medians = {name: (median(start for start, _ in pairs), median(reload for _, reload in pairs))
               for name, pairs in times.items() if pairs and name not in problems}
    table = []
    for contender in chosen:
        mine, rival = medians.get(contender.name), medians.get(contender.rival)
        shown = [f"{value:.2f}" for value in mine] if mine else ["-", "-"]
        comparable = mine and rival and contender.rival != contender.name
        shown += [f"{our / their:.2f}" for our, their in zip(rival, mine)] if comparable else ["-", "-"]
        table.append([contender.name, *shown, problems.get(contender.name, "")])
    return table


def once(bench, contender: Contender) -> tuple[float, float]:
    """Seconds to start and to reload. Raises StartError, or TimeoutError where the old processes stay."""
    port = free_port()
    command = contender.command(bench.pyhost, port, MEMORY.app)
    cores = f"{bench.server_core},{bench.generator.core}"
    server = Server(command, ROOT / "pyapps" / MEMORY.folder, port, cores, bench.logs / f"life-{contender.name}.log")
    try:
        began = time.monotonic()
        server.start()
        await_answer(port, began + 30)
        started = time.monotonic() - began
        # A server that takes its time to start the other workers would have less to reload.
        check(port, MEMORY)
        settle(server)
        return started, reload(server)
    finally:
        server.stop()


def settle(server: Server, quiet: float = 0.5) -> None:
    """Waits until the tree has had the same processes for `quiet` seconds."""
    before, since = None, time.monotonic()
    while time.monotonic() < since + quiet:
        now = {process.pid for process in tree(server.pid)}
        if now != before:
            before, since = now, time.monotonic()
        time.sleep(0.05)


def reload(server: Server, limit: float = 30.0) -> float:
    """Seconds from SIGHUP until the old processes are gone and a new one answers."""
    old = [process for process in tree(server.pid) if process.pid != server.pid]
    began = time.monotonic()
    server.process.send_signal(signal.SIGHUP)
    while old:
        old = [p for p in old if (now := read_process(p.pid)) and now.started == p.started and now.state != "Z"]
        if time.monotonic() > began + limit:
            raise TimeoutError(f"{len(old)} old processes are there {limit:.0f} s after SIGHUP")
        time.sleep(0.005)
    await_answer(server.port, began + limit)
    return time.monotonic() - began


def await_answer(port: int, end: float) -> None:
    """Asks until the answer is right: whoever cannot answer yet refuses, or lets it wait."""
    while time.monotonic() < end:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            if connection.getresponse().read() == MEMORY.expected:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.005)
        finally:
            connection.close()
    raise TimeoutError("no right answer")
