"""Tables of the results, for the terminal and for docs/performance.md."""

from __future__ import annotations

from pathlib import Path

from contenders import CONTENDERS, FLOOR, MEMORY_CONTENDERS, ROOT
from load import Generator
from props import CERTIFICATE
from results import Memory, Result, Table, multiples, ratios
from rows import MEMORY, ROWS, Row
from speed import request

SPEED = ["server", "requests/s", "spread", "p50 ms", "p99 ms", "CPU us/request", "x floor", "PSS MiB", "rate ratio",
         "CPU ratio", "remarks"]
MEMORY_HEADER = ["server", "processes", "idle MiB", "requests", "loaded MiB", "idle ratio", "loaded ratio",
                 "remarks"]
PROLOGUE = Path(__file__).resolve().parent / "prologue.md"
NONE = "-"


def speed_cells(results: list[Result]) -> list[list[str]]:
    """The cells of one row's table, contenders in the order of their list."""
    table = []
    floor = next((result for result in results if result.name == FLOOR), None)
    for result in results:
        figures = result.figures()
        cells = [NONE] * 9
        if figures:
            ratio, multiple = ratios(results, result), multiples(floor, result)
            cells = [f"{figures['requests_per_second']:,.0f}", f"{figures['spread']:.0%}",
                     f"{figures['p50_us'] / 1e3:.2f}", f"{figures['p99_us'] / 1e3:.2f}", f"{figures['cpu_us']:.1f}",
                     f"{multiple:.2f}" if multiple else NONE, f"{result.pss / 2**20:.1f}" if result.pss else NONE,
                     *([f"{value:.2f}" for value in ratio] if ratio else [NONE, NONE])]
        table.append([result.name, *cells, "; ".join(result.remarks())])
    return table


def memory_cells(results: list[Memory]) -> list[list[str]]:
    """The cells of the memory table."""
    rivals = {result.name: result for result in results if result.loaded and not result.problem}
    table = []
    for result in results:
        cells = [NONE] * 6
        if result.loaded:
            rival = rivals.get(result.rival)
            comparable = rival and rival is not result and not result.problem
            cells = [str(result.processes), f"{result.idle / 2**20:.1f}", f"{result.requests:,}",
                     f"{result.loaded / 2**20:.1f}",
                     f"{rival.idle / result.idle:.2f}" if comparable else NONE,
                     f"{rival.loaded / result.loaded:.2f}" if comparable else NONE]
        table.append([result.name, *cells, "; ".join(result.remarks())])
    return table


def text_table(header: list[str], cells: list[list[str]]) -> str:
    """A table for the terminal: names left, figures right."""
    lines = [header, *cells]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]

    def row(line):
        inner = [cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:-1])]
        return "  ".join([line[0].ljust(widths[0]), *inner, line[-1]]).rstrip()

    return "\n".join(row(line) for line in lines)


def markdown_table(header: list[str], cells: list[list[str]]) -> str:
    """The same as Markdown."""
    rule = ["---", *["---:"] * (len(header) - 2), "---"]
    lines = [header, rule, *([cell.replace("|", "\\|") for cell in line] for line in cells)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def markdown(run: dict, speed: dict[str, list[Result]], memory: list[Memory], extras: list[Table] = (),
             charts: dict[str, str] | None = None) -> str:
    """The whole of docs/performance.md: method, machine, versions, charts, tables, command lines.

    `charts` maps the title of each to its file, in the page's own folder.
    """
    parts = [PROLOGUE.read_text().strip().format(**run["settings"])]
    parts.append("## Machine and versions\n")
    parts[-1] += "".join(f"\n- {name}: {value}" for name, value in run["machine"].items())
    parts[-1] += f"\n- meanwhile used by other programs: {run['foreign']:.2f} cores"
    parts[-1] += f"; taken by the hypervisor: {run['stolen']:.1%}"
    shown = ("python", "pyhost", *dict.fromkeys(c.distribution for c in CONTENDERS if c.distribution != "pyhost"))
    versions = [f"{name} {run['versions'].get(name, '(missing)')}" for name in (*shown, "flask", "django")]
    parts[-1] += "\n- " + ", ".join(versions)
    if charts:
        parts.append("## At a glance\n\n" + "\n\n".join(f"![{title}]({file})" for title, file in charts.items()))
    for row in ROWS:
        if row.name in speed:
            rounds = f"{run['rounds'][row.name]} rounds of {run['seconds'][row.name]} s."
            table = markdown_table(SPEED, speed_cells(speed[row.name]))
            parts.append(f"## {row.title}\n\nRow `{row.name}`, {rounds}\n\n{table}")
    if memory:
        parts.append(f"## {MEMORY.title}\n\n{markdown_table(MEMORY_HEADER, memory_cells(memory))}")
    parts += [f"## {table.title}\n\n{table.about}\n\n{markdown_table(table.header, table.cells)}" for table in extras]
    parts.append("## Command lines\n\n" + commands(run))
    return "\n\n".join(parts) + "\n"


def commands(run: dict) -> str:
    """How to start each server, and the load, by hand."""
    lines = ["REPO=$PWD PORT=8000 APP=app:hello FILES=$(mktemp -d)", " ".join(CERTIFICATE).format(folder="$FILES"),
             "head -c 1000000 /dev/zero >$FILES/large", "cd pyapps/bench_wsgi", "", "# one of the servers"]
    lines += [f"{run['server_prefix']} {contender.shown()}" for contender in CONTENDERS]
    for row in (row for row in ROWS if row.option):
        lines += ["", f"# row {row.name}"]
        lines += [f"{run['server_prefix']} {contender.shown(row.option)}" for contender in CONTENDERS
                  if contender.in_row(row.name, row.peers) and row.option in contender.options]
    lines += ["", "# memory"]
    lines += [f"{run['server_prefix']} {contender.shown()}" for contender in MEMORY_CONTENDERS]
    lines += ["", "# the load"]
    lines += dict.fromkeys(load_command(run, row) for row in ROWS)
    table = markdown_table(["row", "folder", "APP"], [[row.name, f"pyapps/{row.folder}", row.app] for row in ROWS])
    return table + "\n\n```sh\n" + "\n".join(lines) + "\n```"


def load_command(run: dict, row: Row) -> str:
    """wrk's command line for a row, in a shell as for Contender.shown."""
    generator = Generator(run["settings"]["wrk_core"], run["settings"]["connections"])
    command = generator.command("$PORT", run["seconds"][row.name], **request(row))
    return " ".join(f"'{word}'" if " " in word else word for word in command).replace(str(ROOT), "$REPO")
