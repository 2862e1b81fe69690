"""What was measured: the samples of each contender, their medians, and the ratios to pyhost."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from statistics import median

from load import Load


@dataclass(frozen=True)
class Sample:
    """One round of one contender.

    `cpu` is CPU microseconds per request, `busy` the cores' worth of CPU that the server used, `foreign` what neither
    it nor wrk used: what else ran on the machine.
    """

    load: Load
    cpu: float
    busy: float
    foreign: float


@dataclass
class Result:
    """All rounds of one contender in one row.

    `problem` says why there are no figures, or why they must not be trusted; with kind "missing" (not installed),
    "failed" (does not start, died) or "wrong" (answers, but not rightly). `framing` is how it ends a body: length,
    chunked or close. `pss` is in bytes.
    """

    row: str
    name: str
    rival: str
    kind: str = ""
    problem: str | None = None
    framing: str = ""
    notes: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    pss: int = 0

    def fail(self, kind: str, problem: str) -> None:
        """Records the first problem; later ones are its consequences."""
        if not self.problem:
            self.kind, self.problem = kind, problem

    def figures(self) -> dict[str, float]:
        """The medians, or an empty dict without samples. Rates per second, latencies in us, spread as a share."""
        if not self.samples:
            return {}
        rates = [sample.load.per_second for sample in self.samples]
        return {
            "requests_per_second": median(rates),
            "spread": (max(rates) - min(rates)) / median(rates) if median(rates) else 0.0,
            "p50_us": median(sample.load.p50 for sample in self.samples),
            "p99_us": median(sample.load.p99 for sample in self.samples),
            "cpu_us": median(sample.cpu for sample in self.samples),
            "server_cores": median(sample.busy for sample in self.samples),
            "wrk_cores": median(sample.load.busy for sample in self.samples),
            "foreign_cores": median(sample.foreign for sample in self.samples),
        }

    def remarks(self) -> list[str]:
        """The notes with what the samples themselves tell."""
        remarks = [f"{self.kind}: {self.problem}"] if self.problem else []
        remarks += self.notes
        closed = 0 if self.framing == "close" else sum(sample.load.closed for sample in self.samples)
        errors = closed + sum(sample.load.errors for sample in self.samples)
        if errors:
            remarks.append(f"{errors} socket errors")
        figures = self.figures()
        if figures and figures["wrk_cores"] > 0.9 and figures["server_cores"] < 0.9:
            remarks.append("wrk was the limit: compare the CPU, not the rate")
        if figures and max(figures["wrk_cores"], figures["server_cores"]) < 0.5 and figures["foreign_cores"] < 0.1:
            remarks.append("both cores were mostly idle: it waits, for delayed ACKs for example")
        return remarks

    def as_json(self) -> dict:
        """Everything, for --json."""
        return {**asdict(self), "medians": self.figures(), "remarks": self.remarks()}


def ratios(results: list[Result], result: Result) -> tuple[float, float] | None:
    """pyhost's requests/s and CPU per request divided by this contender's; None if one of the two has no figures.

    Each round is divided by pyhost's turn in the same round, and the median taken of that: what slows the machine for a
    while slows both.
    """
    rival = next((other for other in results if other.name == result.rival), None)
    if rival is None or rival is result:
        return None
    pairs = [(mine, other) for mine, other in zip(rival.samples, result.samples)
             if other.load.per_second and other.cpu]
    if not pairs or rival.problem or result.problem:
        return None
    return (median(mine.load.per_second / other.load.per_second for mine, other in pairs),
            median(mine.cpu / other.cpu for mine, other in pairs))


def multiples(floor: Result | None, result: Result) -> float | None:
    """CPU per request as a multiple of the floor's in the same row, taken as in ratios."""
    if floor is None or floor.problem or result.problem or floor is result:
        return None
    pairs = [other.cpu / least.cpu for least, other in zip(floor.samples, result.samples) if least.cpu]
    return median(pairs) if pairs else None


@dataclass
class Table:
    """What another program of the benchmark measured, ready to print. `about` is a paragraph before it."""

    title: str
    about: str
    header: list[str]
    cells: list[list[str]]


@dataclass
class Memory:
    """The memory of one contender: PSS of its tree in bytes, before the first request and after `requests`."""

    name: str
    rival: str
    kind: str = ""
    problem: str | None = None
    notes: list[str] = field(default_factory=list)
    processes: int = 0
    idle: int = 0
    requests: int = 0
    loaded: int = 0

    def remarks(self) -> list[str]:
        """The notes, led by the problem."""
        return ([f"{self.kind}: {self.problem}"] if self.problem else []) + self.notes
