"""Tests of the profile: what perf prints, which part a sample belongs to, what a flame graph shows."""

from __future__ import annotations

import os
import tempfile
import unittest
from collections import Counter
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

import budget
import flame
import sampling
from sampling import Frame

SCRIPT = """
\tffffffff8202446d tcp_sendmsg ([kernel.kallsyms])
\tffffffff81e2f330 __x64_sys_sendto ([kernel.kallsyms])
\t          4278f5 push (/srv/bin/pyhost)
\t          422b0d ph_call (/srv/bin/pyhost)
\t           902c3 runtime.asmcgocall.abi0 (/srv/bin/pyhost)
"""
WORKER = Frame("github.com/pyhost/pyhost/workers.(*thread).run", "/srv/bin/pyhost")
PARSER = Frame("github.com/pyhost/pyhost/protocol/http1.(*Parser).fields", WORKER.file)
CALL = (Frame("ph_call", "/srv/bin/pyhost"), Frame("runtime.asmcgocall.abi0", "/srv/bin/pyhost"))
RUN = (Frame("run", "/srv/bin/pyhost"), *CALL)
EVAL = Frame("_PyEval_EvalFrameDefault", "/usr/lib/libpython3.13.so.1.0")
VIEW = Frame("py::Shop.view:/srv/shop/views.py", "/tmp/jitted-1-2.so")
ALLOC = Frame("_PyObject_Malloc", "/usr/lib/libpython3.13.so.1.0")


class Sampling(unittest.TestCase):
    """The output of perf."""

    def test_parse(self):
        stack = sampling.parse(SCRIPT)
        self.assertEqual([frame.name for frame in stack],
                         ["tcp_sendmsg", "__x64_sys_sendto", "push", "ph_call", "runtime.asmcgocall.abi0"])
        self.assertEqual(stack[0].file, "[kernel.kallsyms]")
        self.assertEqual(sampling.parse("perf: some remark\n"), ())

    def test_without_perf(self):
        with mock.patch.dict(os.environ, PATH="/nowhere"):
            with self.assertRaisesRegex(sampling.SamplingError, "not installed: apt-get install linux-perf"):
                sampling.require_perf()

    def test_perf_that_may_not_look(self):
        with tempfile.TemporaryDirectory() as folder:
            perf = Path(folder) / "perf"
            perf.write_text("#!/bin/sh\necho 'Access is limited.' >&2\nexit 255\n")
            perf.chmod(0o755)
            with mock.patch.dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}"):
                with self.assertRaisesRegex(sampling.SamplingError, "Access is limited.*kernel.perf_event_paranoid"):
                    sampling.require_perf()


class Budget(unittest.TestCase):
    """Parts of a request."""

    def test_innermost_decides(self):
        for stack, part in [
            (sampling.parse(SCRIPT), "write"),
            ((ALLOC, EVAL, *RUN), "application"),
            ((ALLOC, Frame("ph_environ_new", "/srv/bin/pyhost"), *CALL), "environ"),
            ((Frame("dict_dealloc", EVAL.file), *CALL), "environ"),
            ((Frame("dict_dealloc", EVAL.file), EVAL, *RUN), "application"),
            ((ALLOC, Frame("start_response", "/srv/bin/pyhost"), EVAL, *RUN), "start_response"),
            ((PARSER, WORKER), "parse, validate"),
            ((WORKER,), "keep books"),
            ((Frame("runtime.sysmon", WORKER.file),), "Go's runtime"),
            ((ALLOC,), "other"),
        ]:
            self.assertEqual(budget.part_of(stack), part, stack)

    def test_table_adds_up(self):
        shares = budget.Profile(1000.0, Counter({name: 10 for name, _ in budget.PARTS}))
        header, cells = budget.table({"hello": shares})
        self.assertEqual(header, ["part", "hello", "what"])
        self.assertEqual({line[0] for line in cells[:-1]}, {name for name, _ in budget.PARTS} | {"other"})
        self.assertAlmostEqual(sum(float(line[1]) for line in cells[:-1]), 1000, delta=len(cells))
        self.assertEqual(cells[-1][:2], ["all", "1,000"])


class Flame(unittest.TestCase):
    """Flame graphs."""

    def test_path_shows_python_and_no_glue(self):
        self.assertEqual(flame.path((ALLOC, EVAL, VIEW, EVAL, *RUN)),
                         [("workers.(*thread).run", "pyhost, Go"), ("ph_call", "pyhost, C"), ("run", "pyhost, C"),
                          ("Shop.view (shop/views.py)", "Python"), ("_PyObject_Malloc", "interpreter")])
        self.assertEqual(flame.path((EVAL, VIEW)), [("(callers not found)", "other")])

    def test_drawing(self):
        stacks = [(ALLOC, EVAL, VIEW, EVAL, *RUN)] * 300 + [(WORKER,)] * 699 + [(Frame("<rare>", WORKER.file), WORKER)]
        text = flame.draw("a & b", stacks)
        space = "{http://www.w3.org/2000/svg}"
        titles = [title.text for title in ElementTree.fromstring(text).iter(f"{space}title")]
        self.assertIn("a & b", titles)
        self.assertIn("workers.(*thread).run, 100.0%", titles)
        self.assertIn("Shop.view (shop/views.py), 30.0%", titles)
        self.assertFalse([title for title in titles if "rare" in title])
        for box in ElementTree.fromstring(text).iterfind(f"{space}g/{space}g/{space}rect"):
            self.assertGreaterEqual(float(box.get("x")), 0)
            self.assertLessEqual(float(box.get("x")) + float(box.get("width")), flame.WIDTH)
            self.assertLess(float(box.get("y")), 0, "above the line that the graph stands on")


if __name__ == "__main__":
    unittest.main()
