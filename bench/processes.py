"""Server processes: starting them on a core, the CPU time and memory of their whole tree, stopping them by pid."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
# Settings that the servers read from the environment would make two runs differ.
FOREIGN = ("PYTHON", "PYHOST", "GUNICORN", "UWSGI", "GRANIAN", "DJANGO", "FLASK", "WEB_CONCURRENCY", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Process:
    """What /proc/PID/stat says of one process; times in clock ticks."""

    pid: int
    state: str
    parent: int
    session: int
    own: int
    reaped: int
    started: int


def read_process(pid: int) -> Process | None:
    """The process, or None if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name in parentheses may hold spaces and parentheses itself: the fields start behind the last one.
    fields = text[text.rindex(")") + 2:].split()
    own, reaped = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    return Process(pid, fields[0], int(fields[1]), int(fields[3]), own, reaped, int(fields[19]))


def tree(root: int) -> list[Process]:
    """The process `root`, its descendants, and whoever else is in its session, such as orphans."""
    everybody = [process for entry in os.listdir("/proc") if entry.isdigit() and (process := read_process(int(entry)))]
    members = {root}
    grown = True
    while grown:
        more = {p.pid for p in everybody if p.parent in members or p.session == root} - members
        members |= more
        grown = bool(more)
    return [process for process in everybody if process.pid in members]


def cpu_seconds(root: int) -> float:
    """CPU seconds (user and system) that the tree has used, with those of its children that have come and gone.

    The kernel's clock of a process is the same sum as utime + stime of /proc, in nanoseconds instead of ticks; reaped
    children are cutime + cstime of their parent.
    """
    return sum(cpu_by_process(root).values())


def cpu_by_process(root: int) -> dict[int, float]:
    """As cpu_seconds, by pid."""
    seconds = {}
    for process in tree(root):
        try:
            # clock_getcpuclockid(3): the clock's number is the complement of the pid, shifted, with CPUCLOCK_SCHED.
            own = time.clock_gettime(~process.pid << 3 | 2)
        except OSError:
            own = process.own / TICK
        seconds[process.pid] = own + process.reaped / TICK
    return seconds


def machine_busy_seconds() -> float:
    """CPU seconds that all cores together have worked since the machine started, for whomever."""
    user, nice, system, idle, waiting, interrupt, soft = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + interrupt + soft) / TICK


def pss_bytes(root: int) -> int:
    """Proportional set size of the tree: shared pages are divided among all who map them."""
    total = 0
    for process in tree(root):
        try:
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def free_port() -> int:
    """A loopback port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class StartError(Exception):
    """A server did not come up; the message ends with the last line that it logged."""


class Server:
    """One running server. Not started before start(); stop() may be called at any time, and twice.

    `cores` are those that it may use, as for taskset: "0", or "0,1". It listens on 127.0.0.1:`port`, or on the unix
    socket of the path `unix`. `seed` is its PYTHONHASHSEED; 0 leaves that to chance.
    """

    def __init__(self, command: list[str], folder: Path, port: int, cores: str, log: Path, unix: str = "",
                 seed: int = 0):
        self.command = ["taskset", "-c", cores, *command]
        self.folder, self.port, self.log, self.unix, self.seed = folder, port, log, unix, seed
        self.process: subprocess.Popen | None = None
        self.members: list[Process] = []

    def start(self, deadline: float = 20.0) -> None:
        """Starts it and waits until it accepts connections. Raises StartError after `deadline` seconds."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        if self.seed:
            environment["PYTHONHASHSEED"] = str(self.seed)
        with open(self.log, "wb") as log:
            # A session of its own: Ctrl-C reaches only the benchmark, and orphans can still be found.
            self.process = subprocess.Popen(self.command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise StartError(f"exited with status {self.process.returncode}: {self.last_line()}")
            if self.listens():
                return
            time.sleep(0.02)
        raise StartError(f"does not listen after {deadline:.0f} s: {self.last_line()}")

    def listens(self) -> bool:
        """Whether it takes connections."""
        family, address = (socket.AF_UNIX, self.unix) if self.unix else (socket.AF_INET, ("127.0.0.1", self.port))
        with socket.socket(family) as probe:
            probe.settimeout(1)
            try:
                probe.connect(address)
            except OSError:
                return False
        return True

    def last_line(self) -> str:
        """The last line of its log that is not empty."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip() if lines else "(it logged nothing)"

    @property
    def pid(self) -> int:
        return self.process.pid

    def terminate(self) -> None:
        """Asks it to go (SIGTERM to the master) and remembers who belongs to it."""
        if self.process and self.process.poll() is None:
            self.members = tree(self.pid)
            self.process.send_signal(signal.SIGTERM)

    def stop(self, grace: float = 5.0) -> None:
        """Ends it: SIGTERM, `grace` seconds, then SIGKILL for every process of the tree that is left."""
        if not self.process:
            return
        self.terminate()
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        end = time.monotonic() + 5
        while (left := self._left()) and time.monotonic() < end:
            for process in left:
                try:
                    os.kill(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.02)
        self.process = None

    def _left(self) -> list[Process]:
        # The start time tells a member from a stranger who has been given its pid since.
        known = {(process.pid, process.started) for process in self.members}
        session = {(p.pid, p.started) for p in tree(self.pid) if p.session == self.pid}
        alive = [read_process(pid) for pid, _ in known | session]
        return [p for p in alive if p and p.state != "Z" and (p.pid, p.started) in known | session]


def stop_all(servers: list[Server]) -> None:
    """Stops the servers together: none waits for another's grace."""
    for server in servers:
        server.terminate()
    for server in servers:
        server.stop()
