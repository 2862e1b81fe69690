"""The load, the rounds and the table of threads.py."""

from __future__ import annotations

import os
import shutil
import socketserver
import tempfile
import threading
import unittest
from pathlib import Path

import threads


class Answers(socketserver.BaseRequestHandler):
    """Answers as fast as it can, and closes when the server has answered `most` requests."""

    def handle(self):
        rest = b""
        try:
            while data := self.request.recv(65536):
                *heads, rest = (rest + data).split(b"\r\n\r\n")
                self.server.answered += len(heads)
                if self.server.answered > self.server.most:
                    return
                self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHello, World!\n" * len(heads))
        except ConnectionError:
            pass  # the load is over


class AnswerServer(socketserver.ThreadingTCPServer):
    request_queue_size = 16


class Threads(unittest.TestCase):
    """What bench/threads.py does."""

    def server(self, most: int) -> socketserver.BaseServer:
        server = AnswerServer(("127.0.0.1", 0), Answers)
        server.answered, server.most = 0, most
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        return server

    def test_rate(self):
        server = self.server(10**9)
        rate = threads.load(server.server_address[1], 3, 4, 0.3)
        self.assertGreater(rate, 0)
        self.assertLessEqual(rate * 0.3, server.answered, "counted more than there was")

    def test_server_that_closes(self):
        with self.assertRaisesRegex(SystemExit, "closed a connection"):
            threads.load(self.server(200).server_address[1], 3, 4, 20)

    def test_spread(self):
        self.assertEqual(threads.spread([1.5, 1.0, 2.0]), "1.50 (1.00-2.00)")

    def test_rounds_by_their_way(self):
        one = threads.Sample(100, 1, 0.1, 0.9)
        for ways, long in (((40, 45, 41), False), ((200, 210, 220), True), ((40, 200, 210), None)):
            self.assertIs(threads.Round(one, one, ways).is_long(40), long, ways)

    def test_table(self):
        one, two = threads.Sample(10e3, 1, 0.05, 0.95), threads.Sample(19e3, 1.95, 0.02, 0.01)
        rounds = [threads.Round(one, two, (40, 40, 40))]
        line = threads.describe(rounds, True)
        for text in ("10,000/s   100.0 us  1.00 cores", "19,000/s   102.6 us  1.95 cores, 0.01 idle", "scaling 1.90",
                     "on two whole cores 1.95", "the generator took 0.02 of a core, other programs 0.02"):
            self.assertIn(text, line)
        self.assertNotIn("two whole cores", threads.describe(rounds, False))

    @unittest.skipUnless(shutil.which("cc") and {0, 1} <= os.sched_getaffinity(0), "no cc, or no two cores")
    def test_way(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertTrue(1 < threads.find_way(threads.build_way(Path(folder))) < 1e6)


if __name__ == "__main__":
    unittest.main()
