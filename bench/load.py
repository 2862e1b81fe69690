"""The load generator: wrk on a core of its own, and what it prints."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent / "wrk"
UNIT = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6}


class LoadError(Exception):
    """wrk did not run or printed something unknown."""


@dataclass(frozen=True)
class Load:
    """One run of wrk. Latencies in microseconds; `busy` is the share of its core that wrk itself used, 0 to 1.

    `closed` are the connections that ended while wrk was reading: every single one for an answer that has no length and
    is not chunked. `errors` are all other socket errors, `refused` the answers that were not 2xx.
    """

    requests: int
    per_second: float
    p50: float
    p99: float
    closed: int
    errors: int
    refused: int
    busy: float = 0.0


def parse(text: str) -> Load:
    """Reads the report of `wrk --latency`."""
    quantiles = {share: float(value) * UNIT[unit]
                 for share, value, unit in re.findall(r"^\s+(\d+)%\s+([\d.]+)(us|ms|s|m|h)\s*$", text, re.M)}
    requests = re.search(r"^\s*(\d+) requests in ", text, re.M)
    per_second = re.search(r"^Requests/sec:\s+([\d.]+)", text, re.M)
    if not (requests and per_second and {"50", "99"} <= quantiles.keys()):
        raise LoadError(f"wrk printed no result: {text.strip()[-200:]}")
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    connect, read, write, timeout = map(int, errors.groups()) if errors else (0, 0, 0, 0)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return Load(int(requests[1]), float(per_second[1]), quantiles["50"], quantiles["99"],
                read, connect + write + timeout, int(refused[1]) if refused else 0)


@dataclass(frozen=True)
class Generator:
    """wrk with one thread on `core` and so many `connections`."""

    core: int
    connections: int

    def command(self, port: int | str, seconds: int, script: str | None = None, headers=(),
                connections: int = 0, scheme: str = "http", path: str = "/") -> list[str]:
        """The command line of one run against 127.0.0.1:`port`; 0 connections are those of the generator."""
        options = [f"-H{name}: {value}" for name, value in headers]
        if script:
            options.append(f"-s{SCRIPTS / script}")
        return ["taskset", "-c", str(self.core), "wrk", "--latency", "-t1",
                f"-c{connections or self.connections}", f"-d{seconds}s", *options, f"{scheme}://127.0.0.1:{port}{path}"]

    def run(self, port: int, seconds: int, **rest) -> Load:
        """Measures for so many seconds."""
        began = time.monotonic()
        with subprocess.Popen(self.command(port, seconds, **rest), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True) as wrk:
            try:
                text = wrk.stdout.read()
                # wait4 because it tells wrk's own CPU time; Popen must know then that nothing is left to wait for.
                _, wrk.returncode, usage = os.wait4(wrk.pid, 0)
            except BaseException:
                wrk.kill()
                raise
        load = parse(text)
        busy = (usage.ru_utime + usage.ru_stime) / (time.monotonic() - began)
        return Load(**{**vars(load), "busy": busy})

    def warm_up(self, port: int, seconds: float, **rest) -> None:
        """Sends load for so many seconds and forgets it. wrk counts in whole seconds, but ends early on SIGINT."""
        with subprocess.Popen(self.command(port, 60, **rest), stdout=subprocess.DEVNULL) as wrk:
            try:
                time.sleep(seconds)
            finally:
                wrk.send_signal(signal.SIGINT)
