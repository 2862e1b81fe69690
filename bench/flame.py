"""Flame graphs as SVG: width is time, what called stands below. The title of each box has its share."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from sampling import Frame, Stack

WIDTH, HEIGHT, TOP, LETTER = 1200, 16, 44, 6.4
LEAST = 0.004  # a box with a smaller share of all samples is left out
KINDS = {"Python": "#8fce7e", "interpreter": "#e8d06a", "pyhost, C": "#7aa7e9", "pyhost, Go": "#79d0cf",
         "kernel": "#e59a6d", "other": "#c3c8ce"}
# Between two functions of Python's the interpreter needs several of its own, which only tell that one calls another.
GLUE = re.compile(r"_PyEval_|py_trampoline|_?PyObject_(Vector|Fast)?[Cc]all|_PyObject_(MakeTpCall|Call)|slot_tp_"
                  r"|_PyFunction_Vectorcall|_?PyVectorcall|method_vectorcall|vectorcall_|object_vacall|bound_method_|"
                  r"(cfunction|method)_(vector)?call|method_call|_PyVectorcall|PyEval_|partial_|_PyObject_Vectorcall")
GO = re.compile(r"^[\w./-]*[./(]\(?\*?[\w]+\)?\.|^(runtime|main|syscall|sync)\.")
# Everything that a Python thread does lies in here.
ROOT = "workers.(*thread).run"
OWN_THREAD = re.compile(r"runtime\.|_start|clone|main\.|start_thread|ret_from_fork")
CROSSING = re.compile(r"^runtime\.(asm)?cgocall")


@dataclass
class Box:
    """A function, called by the one below it. `count` are the samples in it and above."""

    name: str
    kind: str
    count: int = 0
    above: dict[str, "Box"] = field(default_factory=dict)


def draw(title: str, stacks: list[Stack]) -> str:
    """The graph of the samples."""
    root = Box("all", "other")
    for stack in stacks:
        box = root
        box.count += 1
        for name, kind in path(stack):
            box = box.above.setdefault(name, Box(name, kind))
            box.count += 1
    boxes: list[str] = []
    depth = place(root, 0.0, 0, root.count, boxes)
    height = TOP + depth * HEIGHT + 6
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" '
            f'font-size="11" role="img">\n<title>{escape(title)}</title>\n'
            f'<rect width="100%" height="100%" fill="#ffffff"/>\n'
            f'<text x="6" y="16" font-size="14">{escape(title)}</text>\n{legend()}\n'
            f'<g transform="translate(0,{height - 6}) scale(1,1)">\n')
    return head + "\n".join(boxes) + "\n</g>\n</svg>\n"


def legend() -> str:
    """Which colour is whose."""
    parts, x = [], 6
    for kind, colour in KINDS.items():
        parts.append(f'<rect x="{x}" y="24" width="10" height="10" fill="{colour}"/>'
                     f'<text x="{x + 14}" y="33">{kind}</text>')
        x += 28 + int(len(kind) * LETTER)
    return "".join(parts)


def place(box: Box, x: float, level: int, total: int, boxes: list[str]) -> int:
    """Appends the box at x, a share of the width, with all above it; returns how many levels that makes."""
    share = box.count / total
    width, y = share * WIDTH, -(level + 1) * HEIGHT
    shown = box.name if len(box.name) * LETTER < width - 4 else box.name[:max(0, int((width - 12) / LETTER))]
    text = f'<text x="{x * WIDTH + 2:.1f}" y="{y + 12}">{escape(shown)}</text>' if len(shown) > 2 else ""
    boxes.append(f'<g><title>{escape(box.name)}, {share:.1%}</title><rect x="{x * WIDTH:.1f}" y="{y}" '
                 f'width="{max(width - 0.5, 0.3):.1f}" height="{HEIGHT - 1}" fill="{KINDS[box.kind]}"/>{text}</g>')
    levels = level + 1
    for name in sorted(box.above):
        inner = box.above[name]
        if inner.count / total >= LEAST:
            levels = max(levels, place(inner, x, level + 1, total, boxes))
            x += inner.count / total
    return levels


def path(stack: Stack) -> list[tuple[str, str]]:
    """The boxes of a sample from the root on: what the reader needs of its frames."""
    named = [(shorten(frame), kind_of(frame)) for frame in reversed(stack)]
    names = [name for name, _ in named]
    if ROOT in names:
        named = named[names.index(ROOT):]
    elif named and CROSSING.match(named[0][0]):  # the stack of the C side begins where Go calls it
        named = [(ROOT, "pyhost, Go"), *named]
    elif named and OWN_THREAD.match(named[0][0]):
        named = [("other threads", "pyhost, Go"), *named]
    else:  # deeper than what was kept of it
        named = [("(callers not found)", "other")]
    result: list[tuple[str, str]] = []
    for i, (name, kind) in enumerate(named):
        glue = kind == "interpreter" and i + 1 < len(named) and GLUE.match(name)
        if not glue and not (kind == "pyhost, Go" and CROSSING.match(name)) and (not result or result[-1][0] != name):
            result.append((name, kind))
    return result


def shorten(frame: Frame) -> str:
    """The name without what is the same everywhere."""
    name = frame.name.replace("github.com/pyhost/pyhost/", "")
    if name.startswith("py::"):
        function, _, file = name[4:].partition(":")
        return f"{function} ({'/'.join(file.split('/')[-2:])})"
    return re.sub(r"\.(abi0|part\.\d+|constprop\.\d+|isra\.\d+|cold)$", "", name)


def kind_of(frame: Frame) -> str:
    """Whose function it is."""
    if frame.file.startswith("[kernel"):
        return "kernel"
    if frame.name.startswith("py::"):
        return "Python"
    if "libpython" in frame.file or "/lib-dynload/" in frame.file or ".cpython-" in frame.file:
        return "interpreter"
    if "pyhost" in frame.file:
        return "pyhost, Go" if GO.match(frame.name) else "pyhost, C"
    return "other"
