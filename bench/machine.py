"""The machine that a result belongs to."""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
from pathlib import Path

from contenders import ROOT

CONGESTION = Path("/proc/sys/net/ipv4/tcp_congestion_control")


def describe() -> dict[str, str]:
    """Processor, memory, kernel, what else ran, and the state of the source."""
    processor = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", processor, re.M)
    memory = int(Path("/proc/meminfo").read_text().split()[1]) >> 20
    kind = "virtual machine" if re.search(r"^flags\s*:.*\bhypervisor\b", processor, re.M) else "no hypervisor seen"
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, {kind}",
        "memory": f"{memory} GiB",
        "system": f"{_distribution()}, Linux {platform.release()}",
        # bbr paces what it sends, with timers, over the loopback too: a large response costs a quarter more with it.
        "TCP congestion control": CONGESTION.read_text().strip() if CONGESTION.exists() else "unknown",
        "wrk": _line("wrk", "-v").split(" [")[0].replace("wrk ", ""),
        "source": _line("git", "-C", str(ROOT), "describe", "--always", "--dirty") or "not a git checkout",
    }


def stolen() -> tuple[int, int]:
    """Clock ticks that the hypervisor gave to others, and all ticks, since the machine started."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return fields[7], sum(fields)


def _distribution() -> str:
    try:
        name = re.search(r'^PRETTY_NAME="?([^"\n]+)', Path("/etc/os-release").read_text(), re.M)
    except OSError:
        return "unknown distribution"
    return name[1] if name else "unknown distribution"


def _line(*command: str) -> str:
    # wrk -v prints its version and leaves with status 1.
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip().split("\n")[0]
