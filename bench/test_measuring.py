"""Tests of what measures: wrk's report, process trees, answers. Run by go test ./bench/, or python3 -m unittest."""

from __future__ import annotations

import http.server
import os
import re
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import chart
import conduct
import lifecycle
import props
import rows
import scale
import slow
import speed
from check import check
from contenders import CONTENDERS, NGINX, ROOT, Contender
from front import HOW, bind, configure
from load import Generator, LoadError, SCRIPTS, parse
from processes import Server, StartError, cpu_seconds, free_port, pss_bytes, read_process, tree
from results import Result

REPORT = """Running 1s test @ http://127.0.0.1:41000/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   240.12us  101.20us   3.51ms   91.53%
    Req/Sec   125.41k     4.11k  131.00k    72.73%
  Latency Distribution
     50%  219.00us
     75%    1.27ms
     90%    1.03s
     99%    1.50m
  137905 requests in 1.10s, 14.60MB read
{extra}Requests/sec: 125368.18
Transfer/sec:     13.27MB
"""


class Parse(unittest.TestCase):
    def test_figures(self):
        load = parse(REPORT.format(extra=""))
        self.assertEqual((load.requests, load.per_second, load.p50, load.p99), (137905, 125368.18, 219.0, 90e6))
        self.assertEqual((load.closed, load.errors, load.refused), (0, 0, 0))

    def test_errors(self):
        extra = "  Socket errors: connect 1, read 20, write 300, timeout 4000\n  Non-2xx or 3xx responses: 7\n"
        load = parse(REPORT.format(extra=extra))
        self.assertEqual((load.closed, load.errors, load.refused), (20, 4301, 7))

    def test_no_report(self):
        with self.assertRaisesRegex(LoadError, "unable to connect"):
            parse("unable to connect to 127.0.0.1:1 Connection refused\n")


# A master that ignores SIGTERM, with a child that burns CPU and an orphan; then it listens.
STUBBORN = """
import os, signal, socket, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
os.wait()
if os.fork() == 0:
    end = time.process_time() + 0.3
    while time.process_time() < end: pass
    os._exit(0)
os.wait()
if os.fork() == 0:
    time.sleep(600)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(600)
"""


class Processes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.cores = str(min(os.sched_getaffinity(0)))

    def server(self, code: str) -> Server:
        port = free_port()
        server = Server([sys.executable, "-c", code, str(port)], self.folder, port, self.cores, self.folder / "log")
        self.addCleanup(server.stop, 0)
        return server

    def test_tree(self):
        server = self.server(STUBBORN)
        server.start()
        members = tree(server.pid)
        self.assertEqual(len(members), 3, "master, child and orphan")
        self.assertGreaterEqual(cpu_seconds(server.pid), 0.3, "the time of the child that is gone counts")
        self.assertGreater(pss_bytes(server.pid), 1 << 20)
        server.stop(grace=0.2)
        for member in members:
            left = read_process(member.pid)
            self.assertTrue(left is None or left.state == "Z" or left.started != member.started, f"{left} is left")

    def test_start_failures(self):
        with self.assertRaisesRegex(StartError, "status 3: no such luck"):
            self.server("import sys; print('first'); print('no such luck'); sys.exit(3)").start()
        silent = self.server("import time; time.sleep(600)")
        with self.assertRaisesRegex(StartError, "does not listen after 0 s: .it logged nothing."):
            silent.start(deadline=0.3)

    def test_stop_ends_quickly(self):
        server = self.server("import socket, sys, time\nl = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
                             "time.sleep(600)")
        server.start()
        began = time.monotonic()
        server.stop(grace=30)
        self.assertLess(time.monotonic() - began, 10)
        server.stop()


# A server that answers rightly, and tells in its log who it is.
TELLING = """
import http.server, os, sys
print("I am", os.getpid(), os.environ.get("PYTHONHASHSEED"), flush=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "14")
        self.end_headers()
        self.wfile.write(b"Hello, World!\\n")
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class Turns(unittest.TestCase):
    """The order of the rounds, with a load that notes which servers there are."""

    def measure(self, commands: list[str], **rest) -> tuple[list[Result], list[list[str]]]:
        """The results, and for each turn the seed and pid of each server that was there."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        (Path(folder.name) / "server.py").write_text(TELLING)
        row = rows.Row("turns", "Turns", "bench_wsgi", "app:hello", rows.HELLO, **rest)
        core, turns = min(os.sched_getaffinity(0)), []
        contenders = [Contender(f"s{number}", "server",
                                f"{sys.executable} {command.replace('PLACE', folder.name)} {{port}}")
                      for number, command in enumerate(commands)]

        class Noting(Generator):
            def warm_up(self, port, seconds, **_):
                pass

            def run(self, port, seconds, **_):
                said = [log.read_text().split()[2:4] for log in Path(folder.name).glob("*.log") if log.stat().st_size]
                turns.append([(seed, pid) for pid, seed in said if pid.isdigit() and read_process(int(pid))])
                return parse(REPORT.format(extra=""))

        bench = speed.Bench(Noting(core, 1), core, Path(), {"server": "1"}, Path(folder.name), lambda line: None)
        return speed.measure_row(bench, row, contenders, 2, 1), turns

    def test_together(self):
        results, turns = self.measure(["PLACE/server.py", "PLACE/server.py"])
        self.assertEqual([(result.problem, len(result.samples)) for result in results], [(None, 2), (None, 2)])
        self.assertEqual(len(turns), 4)
        self.assertEqual(len(set(turns[0])), 2, "both servers are there")
        self.assertTrue(all(set(turn) == set(turns[0]) for turn in turns), "and they are always the same")

    def test_afresh(self):
        results, turns = self.measure(["PLACE/server.py", "-c 'exit(3)'", "PLACE/server.py"], afresh=True, memory=True)
        self.assertEqual([len(result.samples) for result in results], [2, 0, 2])
        self.assertIn("status 3", results[1].problem)
        self.assertEqual([seed for turn in turns for seed, _ in turn], ["1", "1", "2", "2"], "alone, with the seed")
        self.assertEqual(len({pid for turn in turns for _, pid in turn}), 4, "each turn is another process")
        self.assertGreater(results[0].pss, 1 << 20)


# A server with one thread. Argument 2 has "hold" if it answers all requests that it finds at once, "leak" if it never
# calls close().
CONDUCTED = """
import selectors, socket, sys
sys.path.insert(0, ".")
from app import application
listener, selector = socket.create_server(("127.0.0.1", int(sys.argv[1]))), selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ)
while True:
    answers = []
    for key, _ in selector.select():
        if key.fileobj is listener:
            selector.register(listener.accept()[0], selectors.EVENT_READ)
            continue
        client = key.fileobj
        head = client.recv(65536)
        if not head:
            selector.unregister(client)
            client.close()
            continue
        body = application({"PATH_INFO": head.split()[1].decode()}, lambda status, headers: None)
        text = b"".join(body)
        if "leak" not in sys.argv[2]:
            body.close()
        answers.append((client, b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(text), text)))
        if "hold" not in sys.argv[2]:
            client.sendall(answers.pop()[1])
    for client, answer in answers:
        client.sendall(answer)
"""


class Conduct(unittest.TestCase):
    def test_remarks(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for how, remarks in (("", []), ("hold", [conduct.HELD_BACK]), ("leak", [conduct.NOT_CLOSED]),
                             ("hold leak", [conduct.NOT_CLOSED, conduct.HELD_BACK])):
            with self.subTest(how):
                port = free_port()
                command = [sys.executable, "-c", CONDUCTED, str(port), how]
                server = Server(command, ROOT / "pyapps" / conduct.FOLDER, port, str(min(os.sched_getaffinity(0))),
                                Path(folder.name) / "log")
                try:
                    server.start()
                    self.assertEqual(conduct.observe(port, nap=0.1, patience=0.2), remarks)
                finally:
                    server.stop()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the test says: status, claimed length (None: close to end it), body."""

    protocol_version = "HTTP/1.1"
    answer = (200, 0, b"")

    def do_GET(self):
        status, length, body = self.answer
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Check(unittest.TestCase):
    CASES = (
        ((200, 14, rows.HELLO), None, "length", True),
        ((200, None, rows.HELLO), None, "close", False),
        ((500, 14, rows.HELLO), "status 500", "", False),
        ((200, 13, rows.HELLO[:13]), "Content-Length 13, expected 14", "", False),
        ((200, None, b""), "0 bytes, expected 14", "", False),
        ((200, 14, b"Hello, World?\n"), "wrong bytes", "", False),
    )

    def test_answers(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        for Handler.answer, problem, framing, keep_alive in self.CASES:
            with self.subTest(answer=Handler.answer):
                answer = check(server.server_port, rows.ROWS[0])
                self.assertEqual((answer.problem, answer.framing, answer.keep_alive), (problem, framing, keep_alive))

    def test_nobody_listens(self):
        self.assertRegex(check(free_port(), rows.ROWS[0]).problem, "^ConnectionRefusedError: ")


class Rows(unittest.TestCase):
    """The bytes that the checks expect are written down twice: here they meet."""

    def test_applications(self):
        sys.path.insert(0, str(ROOT / "pyapps/bench_wsgi"))
        self.addCleanup(sys.path.remove, str(ROOT / "pyapps/bench_wsgi"))
        import app
        for row in rows.ROWS:
            if row.folder == "bench_wsgi" and not row.body and row.path == "/":
                answer = getattr(app, row.app.split(":")[1])({}, lambda status, headers: None)
                self.assertEqual(b"".join(answer), row.expected, row.name)
                getattr(answer, "close", lambda: None)()

    def test_names(self):
        names = {contender.name for contender in CONTENDERS}
        for row in rows.ROWS:
            self.assertLessEqual(set(row.peers), names, row.name)
            self.assertIn(row.group, chart.GROUPS, row.name)
            self.assertTrue(not row.front or row.front in HOW, row.name)
        self.assertEqual(len(rows.BROWSER), 29, "with Host, thirty headers")

    def test_post_script(self):
        block, count = re.search(r'string\.rep\("(\d+)", (\d+)\)', (SCRIPTS / "post.lua").read_text()).groups()
        self.assertEqual(block.encode() * int(count), rows.POST)


class Floor(unittest.TestCase):
    """The server in C has to give the right answers too."""

    def test_answers(self):
        compiler = shutil.which("cc")
        if not compiler:
            self.skipTest("no cc")
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "floor")
            subprocess.run([compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-o", program,
                            ROOT / "bench/floor/floor.c"], check=True)
            for row in (row for row in rows.ROWS if row.folder == "bench_wsgi" and not (row.option or row.front)):
                port = free_port()
                server = Server([program, str(port), row.app], Path(folder), port,
                                str(min(os.sched_getaffinity(0))), Path(folder) / "log")
                try:
                    server.start()
                    answer = check(port, row)
                finally:
                    server.stop()
                self.assertIsNone(answer.problem, row.name)
                self.assertEqual(answer.keep_alive, not row.closes, row.name)
                self.assertEqual(answer.framing == "chunked", row.name in ("generator", "stream"), row.name)


class Front(unittest.TestCase):
    """What stands before the application: nginx, and what the servers are given for it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.folder.chmod(0o755)  # nginx's workers may have another user

    @unittest.skipUnless(NGINX and shutil.which("openssl"), "nginx and openssl are needed")
    def test_nginx_serves_the_file(self):
        props.prepare(self.folder / "props")
        for name, place in props.paths(self.folder / "props").items():
            self.assertTrue(Path(place).exists(), name)
        port, row = free_port(), next(row for row in rows.ROWS if row.name == "static")
        command = [sys.executable, str(ROOT / "bench/serve.py"), "nginx", str(port), str(self.folder / "props")]
        server = Server(command, self.folder, port, str(min(os.sched_getaffinity(0))), self.folder / "log")
        self.addCleanup(server.stop)
        server.start()
        self.assertIsNone(check(port, row).problem)

    def test_directives(self):
        for directive, how in HOW.items():
            if NGINX:
                command = configure(self.folder / directive, free_port(), how, str(self.folder / "socket"))
                done = subprocess.run([*command, "-t"], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(bind("uwsgi_pass", "/run/a"), "uwsgi+unix:/run/a")
        self.assertEqual(bind("proxy_pass", "/run/a"), "unix:/run/a")

    def test_crowd(self):
        listener = socket.create_server(("127.0.0.1", 0), backlog=20)
        self.addCleanup(listener.close)
        crowd = slow.Crowd(heads=2, bodies=0, readers=0, idle=3, port=listener.getsockname()[1])
        self.addCleanup(crowd.end)
        clients = [listener.accept()[0] for _ in range(5)]
        for client in clients:
            self.addCleanup(client.close)
        selector = selectors.DefaultSelector()
        for client in clients:
            selector.register(client, selectors.EVENT_READ)
        self.assertEqual(len(selector.select(10)), 2, "those that dribble have sent something, the idle ones have not")
        selector.close()


# A server whose answers come from children; SIGHUP replaces them: the old one goes a little later than the new comes.
RELOADING = """
import http.server, os, signal, socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Hello, World!\\n")
    def log_message(self, *rest): pass
def worker():
    pid = os.fork()
    if pid: return pid
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.socket = listener
    server.serve_forever()
def reload(*rest):
    global child
    old, child = child, worker()
    time.sleep(0.3)
    os.kill(old, signal.SIGTERM)
    os.waitpid(old, 0)
child = worker()
signal.signal(signal.SIGHUP, reload)
while True: signal.pause()
"""


class Lifecycle(unittest.TestCase):
    def server(self, code: str) -> Server:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        port = free_port()
        server = Server([sys.executable, "-c", code, str(port)], Path(folder.name), port,
                        str(min(os.sched_getaffinity(0))), Path(folder.name) / "log")
        self.addCleanup(server.stop, 1)
        server.start()
        lifecycle.await_answer(port, time.monotonic() + 10)
        return server

    def test_reload_ends_with_the_last_old_process(self):
        server = self.server(RELOADING)
        lifecycle.settle(server, 0.1)
        took = lifecycle.reload(server, 10)
        self.assertTrue(0.3 <= took < 10, took)

    def test_reload_that_does_not_end(self):
        server = self.server(RELOADING.replace("os.kill(old, signal.SIGTERM)", "return"))
        with self.assertRaisesRegex(TimeoutError, "1 old processes are there"):
            lifecycle.reload(server, 0.5)


class Scale(unittest.TestCase):
    def test_workers(self):
        for name, wish in (("pyhost-sync", "-w 64 -k sync --keep-alive 300"), ("granian-1", "--workers 64 "),
                           ("uwsgi", "--workers 64 ")):
            contender = next(contender for contender in CONTENDERS if contender.name == name)
            self.assertIn(wish, scale.scaled(contender, 64).template)
        bjoern = next(contender for contender in CONTENDERS if contender.name == "bjoern")
        self.assertIsNone(scale.scaled(bjoern, 4))
        self.assertEqual(scale.scaled(bjoern, 1), bjoern)


if __name__ == "__main__":
    unittest.main()
