"""The applications of the rows answer what the rows expect, seen through PEP 3333's validator. Without a server."""

from __future__ import annotations

import subprocess
import unittest

from contenders import ROOT, VENV
from rows import ROWS

PYTHON = VENV / "bin/python"
# Prints the body; the validator complains with an exception.
CALL = """
import importlib, io, sys
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator
sys.path.insert(0, "")
module, name = sys.argv[1].split(":")
environ = {"QUERY_STRING": "", "SCRIPT_NAME": "", "PATH_INFO": "/"}
setup_testing_defaults(environ)
def start_response(status, headers, exc_info=None):
    assert status == "200 OK", status
    return sys.stdout.buffer.write
result = validator(getattr(importlib.import_module(module), name))(environ, start_response)
for block in result:
    sys.stdout.buffer.write(block)
result.close()
"""


class Applications(unittest.TestCase):
    """One subtest for each framework."""

    @unittest.skipUnless(PYTHON.exists(), "no .venv-bench: bench/setup.sh makes it")
    def test_frameworks_answer(self):
        for row in ROWS:
            if row.group != "frameworks":
                continue
            with self.subTest(row.name):
                if subprocess.run([PYTHON, "-c", f"import {row.name}"], capture_output=True).returncode:
                    self.skipTest(f"{row.name} is not installed: bench/setup.sh")
                done = subprocess.run([PYTHON, "-c", CALL, row.app], cwd=ROOT / "pyapps" / row.folder,
                                      capture_output=True)
                self.assertEqual((done.stdout, done.stderr), (row.expected, b""))


if __name__ == "__main__":
    unittest.main()
