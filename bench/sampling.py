"""Where a server spends its time: stacks from `perf record -e cpu-clock`, of kernel, Go, C and, if it can, Python."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Tuple

# A dozen frames of C need a fraction of this; Django's middleware, each call two dozen frames, needs all of it.
SHALLOW, DEEP = 8192, 61440
FRAME = re.compile(r"^\s*[0-9a-f]+ (.*) \((.*)\)$")


class SamplingError(Exception):
    """perf is missing or cannot sample; the message says what to do."""


@dataclass(frozen=True)
class Frame:
    """A function and the file (DSO) that its code lies in; "[kernel.kallsyms]" is the kernel."""

    name: str
    file: str


Stack = Tuple[Frame, ...]  # the innermost frame first


def require_perf() -> None:
    """Raises SamplingError if perf is not there, or may not look."""
    if not shutil.which("perf"):
        raise SamplingError("perf is not installed: apt-get install linux-perf (Debian), linux-tools-generic (Ubuntu)")
    probe = subprocess.run(["perf", "record", "-e", "cpu-clock", "-o", "/dev/null", "true"], capture_output=True,
                           text=True)
    if probe.returncode:
        lines = probe.stderr.strip().splitlines() or ["no message"]
        raise SamplingError(f"perf cannot sample ({lines[0].strip()}): run as root, or set the sysctls "
                            "kernel.perf_event_paranoid=-1 and kernel.kptr_restrict=0")


def sample(pids: list[int], folder: Path, seconds: float, rate: int, room: int, jitted: bool = False) -> list[Stack]:
    """The stacks of the processes, `rate` per second of CPU time.

    `room` is how many bytes of each stack are kept to find the callers in. `jitted`: Python's functions have code of
    their own, which it describes in /tmp (PYTHON_PERF_JIT_SUPPORT, CPython 3.13).
    """
    data = folder / "perf.data"
    run(["perf", "record", "-k", "mono", "-e", "cpu-clock", "-F", str(rate), "--call-graph", f"dwarf,{room}",
         "-p", ",".join(map(str, pids)), "-o", str(data), "--", "sleep", str(seconds)])
    if jitted:
        merged = folder / "perf.jit.data"
        run(["perf", "inject", "--jit", "-i", str(data), "-o", str(merged)])
        data = merged
    text = run(["perf", "script", "-i", str(data), "-F", "ip,sym,dso", "--no-inline"])
    stacks = [stack for block in text.split("\n\n") if (stack := parse(block))]
    if not stacks:
        raise SamplingError("perf took no samples: did the server work?")
    return stacks


def jitted_files() -> set[Path]:
    """What Python and perf leave in /tmp about code that Python has made."""
    return {path for pattern in ("jit-*.dump", "jitted-*.so") for path in Path("/tmp").glob(pattern)}


def forget_jitted(before: set[Path]) -> None:
    """Removes those that have come since, unless they are of a process that still runs."""
    for path in jitted_files() - before:
        pid = re.search(r"\d+", path.name)[0]
        if not Path(f"/proc/{pid}").exists():
            path.unlink(missing_ok=True)


def parse(block: str) -> Stack:
    """One sample as `perf script` prints it."""
    frames = (FRAME.match(line) for line in block.splitlines())
    return tuple(Frame(match[1], match[2]) for match in frames if match)


def run(command: list[str]) -> str:
    """Output of a command of perf's; SamplingError if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise SamplingError(f"{' '.join(command[:2])} failed: {done.stderr.strip()[-300:]}")
    return done.stdout
