"""Bar charts of CPU per request, as SVG: one file for each group of rows."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from contenders import FLOOR
from results import Result
from rows import ROWS

GROUPS = {"hello": "CPU per request: hello", "frameworks": "CPU per request: frameworks",
          "bodies": "CPU per request: bodies", "edge": "CPU per request: TLS, uwsgi, slow clients, a file"}

WIDTH, NAMES, FIGURES, BAR, GAP, TITLE = 760, 150, 70, 14, 4, 26
OURS, THEIRS, LEAST = "#1f6feb", "#8b949e", "#3fb950"


def draw(speed: dict[str, list[Result]], folder: Path) -> dict[str, str]:
    """Writes performance-GROUP.svg for each group that has figures; returns title and file name of each."""
    drawn = {}
    for group, title in GROUPS.items():
        parts = [(row.title, bars(speed[row.name])) for row in ROWS if row.group == group and row.name in speed]
        parts = [(row, figures) for row, figures in parts if figures]
        if parts:
            drawn[title] = f"performance-{group}.svg"
            (folder / drawn[title]).write_text(svg(title, parts))
    return drawn


def bars(results: list[Result]) -> list[tuple[str, float]]:
    """Name and median CPU of those that have figures which can be trusted, the cheapest first."""
    figures = [(result.name, result.figures()["cpu_us"]) for result in results
               if result.samples and not result.problem]
    return sorted(figures, key=lambda figure: figure[1])


def svg(title: str, parts: list[tuple[str, list[tuple[str, float]]]]) -> str:
    """The chart: below each other the rows, each with bars in its own scale, since rows differ a hundredfold."""
    lines, y = [], TITLE
    for row, figures in parts:
        y += TITLE
        lines.append(f'<text x="0" y="{y - 8}" font-weight="bold">{escape(row)}</text>')
        longest = max(value for _, value in figures) or 1.0
        for name, value in figures:
            length = max(1.0, value / longest * (WIDTH - NAMES - FIGURES))
            colour = OURS if name.startswith("pyhost") else LEAST if name == FLOOR else THEIRS
            middle = y + BAR - 3
            lines.append(f'<text x="{NAMES - 6}" y="{middle}" text-anchor="end">{escape(name)}</text>')
            lines.append(f'<rect x="{NAMES}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>')
            lines.append(f'<text x="{NAMES + length + 5:.1f}" y="{middle}">{value:,.1f} us</text>')
            y += BAR + GAP
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + GAP}" role="img" '
            f'font-family="sans-serif" font-size="12">\n<title>{escape(title)}</title>\n'
            # A page may be dark: the chart brings its own paper.
            f'<rect width="100%" height="100%" fill="#ffffff"/>\n'
            f'<text x="0" y="16" font-size="15" font-weight="bold">{escape(title)}, microseconds; shorter is better'
            "</text>\n")
    return head + "\n".join(lines) + "\n</svg>\n"
