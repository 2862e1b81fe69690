"""Tests of what is said about the measurements: medians, ratios, remarks, tables, the command line."""

from __future__ import annotations

import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

import chart
import lifecycle
import report
from contenders import CONTENDERS, MEMORY_CONTENDERS
from load import Load
from props import paths
from results import Memory, Result, Sample, Table, multiples, ratios
from rows import ROWS
from run import arguments


def sample(rate=1000.0, cpu=10.0, busy=1.0, wrk=0.5, foreign=0.0, closed=0, errors=0) -> Sample:
    return Sample(Load(1000, rate, 200.0, 900.0, closed, errors, 0, wrk), cpu, busy, foreign)


def result(name, *samples, rival="pyhost-sync", **rest) -> Result:
    return Result("hello", name, rival, samples=list(samples), **rest)


class Figures(unittest.TestCase):
    def test_medians(self):
        figures = result("uwsgi", sample(100, 30), sample(300, 10), sample(200, 50)).figures()
        self.assertEqual((figures["requests_per_second"], figures["cpu_us"], figures["spread"]), (200, 30, 1.0))
        self.assertEqual(result("uwsgi").figures(), {})

    def test_ratios_are_taken_round_by_round(self):
        # The machine is half as fast in the third round: the ratio stays 2.
        rival = result("pyhost-sync", sample(200, 5), sample(200, 5), sample(100, 10))
        other = result("bjoern", sample(100, 10), sample(100, 10), sample(50, 20))
        self.assertEqual(ratios([rival, other], other), (2.0, 0.5))
        self.assertIsNone(ratios([rival, other], rival))
        self.assertIsNone(ratios([other], other), "without the rival")
        wrong = result("granian-1", sample(), kind="wrong", problem="status 500")
        self.assertIsNone(ratios([rival, wrong], wrong))

    def test_multiples_of_the_floor(self):
        floor = result("floor", sample(cpu=2), sample(cpu=4))
        self.assertEqual(multiples(floor, result("uwsgi", sample(cpu=20), sample(cpu=40))), 10)
        for least, other in ((None, result("uwsgi", sample())), (floor, floor), (floor, result("uwsgi")),
                             (floor, result("uwsgi", sample(), kind="wrong", problem="status 500"))):
            self.assertIsNone(multiples(least, other))
        cells = report.speed_cells([floor, result("uwsgi", sample(cpu=5), sample(cpu=10))])
        self.assertEqual([line[6] for line in cells], ["-", "2.50"])

    def test_remarks(self):
        cases = (
            (result("a", sample()), []),
            (result("a", sample(errors=2), sample(closed=3)), ["5 socket errors"]),
            (result("a", sample(closed=3), framing="close"), []),
            (result("a", sample(busy=0.7, wrk=0.99)), ["wrk was the limit: compare the CPU, not the rate"]),
            (result("a", sample(busy=0.1, wrk=0.1)),
             ["both cores were mostly idle: it waits, for delayed ACKs for example"]),
            (result("a", sample(busy=0.1, wrk=0.1, foreign=1.8)), []),
            (result("a", kind="failed", problem="exited", notes=["closes"]), ["failed: exited", "closes"]),
        )
        for case, remarks in cases:
            with self.subTest(case=case):
                self.assertEqual(case.remarks(), remarks)

    def test_the_first_problem_stays(self):
        case = result("a")
        case.fail("failed", "died")
        case.fail("wrong", "does not answer")
        self.assertEqual((case.kind, case.problem), ("failed", "died"))


class Tables(unittest.TestCase):
    def test_missing_is_a_line(self):
        missing = result("bjoern", kind="missing", problem="ev.h: no such file | really")
        table = report.markdown_table(report.SPEED, report.speed_cells([missing]))
        self.assertIn("| bjoern | - | - | - | - | - | - | - | - | - | missing: ev.h: no such file \\| really |", table)

    def test_memory(self):
        cells = report.memory_cells([
            Memory("pyhost", "pyhost", processes=6, idle=50 << 20, requests=4000, loaded=60 << 20),
            Memory("granian", "pyhost", processes=5, idle=100 << 20, requests=4100, loaded=120 << 20),
            Memory("uwsgi-lazy", "pyhost", kind="failed", problem="exited"),
        ])
        self.assertEqual(cells[0], ["pyhost", "6", "50.0", "4,000", "60.0", "-", "-", ""])
        self.assertEqual(cells[1], ["granian", "5", "100.0", "4,100", "120.0", "0.50", "0.50", ""])
        self.assertEqual(cells[2], ["uwsgi-lazy", "-", "-", "-", "-", "-", "-", "failed: exited"])

    def test_text_columns_line_up(self):
        first, second = report.text_table(["server", "rate", "remarks"], [["a", "1,000", "slow"]]).split("\n")
        self.assertEqual((first, second), ("server   rate  remarks", "a       1,000  slow"))

    def test_page(self):
        run = {"machine": {"processor": "a good one"}, "versions": {"uwsgi": "2.0"}, "foreign": 0.0, "stolen": 0.0,
               "server_prefix": "taskset -c 2", "rounds": {row.name: 5 for row in ROWS},
               "seconds": {row.name: 1 for row in ROWS},
               "settings": {"server_core": 2, "wrk_core": 3, "connections": 32, "requests": 4000,
                            "warm_up": 0.4}}
        page = report.markdown(run, {"hello": [result("uwsgi", sample())]}, [Memory("uwsgi-lazy", "pyhost")],
                               [Table("Start", "From zero.", ["server", "s", "remarks"], [["uwsgi", "1.00", "slow"]])],
                               {"CPU": "performance-hello.svg"})
        for contender in CONTENDERS + MEMORY_CONTENDERS:
            self.assertIn(f"taskset -c 2 {contender.shown()}\n", page)
        self.assertIn("| uwsgi | 1,000 | 0% | 0.20 | 0.90 | 10.0 |", page)
        self.assertIn("uwsgi 2.0, granian (missing)", page)
        self.assertIn("## Start\n\nFrom zero.\n\n| server | s | remarks |\n", page)
        self.assertIn("![CPU](performance-hello.svg)", page)
        self.assertIn("taskset -c 3 wrk --latency -t1 -c32 -d1s -s$REPO/bench/wrk/post.lua http://127.0.0.1", page)


class Charts(unittest.TestCase):
    def test_files(self):
        wrong = result("granian-1", sample(cpu=1), kind="wrong", problem="status 500")
        speed = {"hello": [result("pyhost-sync", sample(cpu=5)), result("a<b", sample(cpu=20)), wrong],
                 "flask": [wrong]}
        with tempfile.TemporaryDirectory() as folder:
            drawn = chart.draw(speed, Path(folder))
            self.assertEqual(list(drawn.values()), ["performance-hello.svg"], "no chart without figures")
            root = ElementTree.parse(Path(folder) / "performance-hello.svg").getroot()
        bars = [element for element in root.iter() if element.tag.endswith("rect")][1:]
        lengths = [float(bar.get("width")) for bar in bars]
        self.assertEqual([round(length / max(lengths), 2) for length in lengths], [0.25, 1])
        texts = [element.text for element in root.iter() if element.tag.endswith("text")]
        self.assertEqual(texts[2:], ["pyhost-sync", "5.0 us", "a<b", "20.0 us"])


class Lifecycle(unittest.TestCase):
    def test_cells(self):
        chosen = [c for c in MEMORY_CONTENDERS if c.name in ("pyhost", "gunicorn", "uwsgi-lazy")]
        times = {"pyhost": [(1, 2), (3, 6), (2, 4)], "gunicorn": [(4, 8)], "uwsgi-lazy": [(1, 1)]}
        cells = lifecycle.cells(chosen, times, {"uwsgi-lazy": "died"})
        self.assertEqual(cells, [["pyhost", "2.00", "4.00", "-", "-", ""],
                                 ["gunicorn", "4.00", "8.00", "0.50", "0.50", ""],
                                 ["uwsgi-lazy", "-", "-", "-", "-", "died"]])


class CommandLine(unittest.TestCase):
    def test_templates(self):
        for contender in CONTENDERS + MEMORY_CONTENDERS:
            with self.subTest(contender=contender.name):
                for option in ("", *contender.options):
                    command = contender.command(Path("/opt/pyhost"), 8123, "app:hello", option, log="/tmp/log",
                                                socket="/tmp/8123.sock", **paths("/tmp/files"))
                    self.assertTrue(any("8123" in word for word in command))
                    self.assertNotRegex(" ".join(command), "[{}$]")
                    self.assertNotRegex(contender.shown(option), "[{}]")
                    self.assertEqual(command[-1], contender.command(Path("/opt/pyhost"), 8123, "app:hello", log="",
                                     socket="/tmp/8123.sock", **paths("/tmp/files"))[-1], "the application is last")
                self.assertIn(contender.rival, [other.name for other in CONTENDERS + MEMORY_CONTENDERS])

    def test_sets(self):
        full, usual = set(arguments(["--full"]).rows), set(arguments([]).rows)
        self.assertEqual(full - usual, {"hello-256", "hello-1000", "hello-wide", "headers-vary", "falcon", "bottle",
                                        "stream", "big-close", "scale"})
        # Each turn takes its seconds, a start with check, warm-up and stop about 1.3; a crowd needs 0.4 to come.
        turns = [(row, sum(contender.in_row(row.name, row.peers) for contender in CONTENDERS))
                 for row in ROWS if row.name in usual]
        estimate = sum(count * (row.rounds * (row.seconds + 0.4 * row.crowd) + 1.3 * (1 + row.memory))
                       for row, count in turns)
        self.assertLess(estimate + 100, 600, "make bench is to take ten minutes; 100 s are for the other tables")

    def test_unknown_names_are_errors(self):
        cases = ((["--rows", "hello,helo"], "no row helo; there are hello, "),
                 (["--only", "unicorn"], "no server unicorn; there are pyhost-sync, "),
                 (["--cores", "0"], "two numbers"), (["--cores", "0,0"], "two different cores"))
        for words, message in cases:
            with self.subTest(words=words), contextlib.redirect_stderr(io.StringIO()) as said:
                with self.assertRaises(SystemExit) as left:
                    arguments(words)
                self.assertEqual(left.exception.code, 2)
                self.assertIn(message, said.getvalue())


if __name__ == "__main__":
    unittest.main()
