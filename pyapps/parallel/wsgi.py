"""Uses one response from several threads at once, in every way that needs the server to keep order."""

import random
import sys
import threading

kept = []  # start_response and write of requests that are over


class Ending(list):
    """A body after which what its request was given is kept."""

    def close(self):
        kept.append(self.given)
        del kept[:-8]


def together(*actions):
    """Run the actions in threads that start at the same moment; the names of what they raised."""
    barrier = threading.Barrier(len(actions))
    raised = []

    def run(action):
        barrier.wait()
        try:
            action()
        except Exception as error:
            raised.append(type(error).__name__)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def exc_info():
    try:
        raise ValueError("replaced")
    except ValueError:
        return sys.exc_info()


def started(environ, start_response):
    """Both start the response: the head is one's or the other's, not something of each."""
    def start(letter):
        fields = [("X-%s" % n, letter * random.randrange(1, 50)) for n in range(10)]
        return lambda: start_response("200 " + letter, fields, exc_info())

    together(start("A"), start("B"))
    return [b"started"]


def written(environ, start_response):
    """Both write: whole blocks."""
    write = start_response("200 OK", [])
    together(*[lambda block=block: [write(block) for _ in range(5)] for block in (b"a" * 997, b"b" * 991)])
    return []


def mutated(environ, start_response):
    """The list of blocks changes while it is sent: the framing must hold."""
    start_response("200 OK", [])
    blocks = [b"x" * 1000] * 50
    going = threading.Event()

    def mutate():
        for count in range(300):
            blocks[:] = [b"y" * random.randrange(2000)] * random.randrange(1, 60)
            going.set()

    threading.Thread(target=mutate).start()
    going.wait()
    return blocks


def late(environ, start_response):
    """Others use what earlier requests were given, while this one is answered."""
    def disturb():
        for old_start, old_write in list(kept):
            for action in (lambda: old_start("500 Late", [("X-Late", "yes")]), lambda: old_write(b"late")):
                try:
                    action()
                except RuntimeError:
                    pass

    disturber = threading.Thread(target=disturb)
    disturber.start()
    answer = Ending([b"fine"])
    answer.given = start_response, start_response("200 OK", [("X-Fine", "yes")])
    disturber.join()
    return answer


def hinted(environ, start_response):
    """Early hints from threads, then the answer."""
    together(*[lambda: environ["wsgi.early_hints"]([("Link", "</style.css>")])] * 3)
    start_response("200 OK", [])
    return (b"%d" % n for n in range(10))


def echoed(environ, start_response):
    start_response("200 OK", [])
    return [environ["wsgi.input"].read(), environ["QUERY_STRING"].encode()]


def gil(environ, start_response):
    start_response("200 OK", [])
    return [b"on" if getattr(sys, "_is_gil_enabled", lambda: True)() else b"off"]


def counted(environ, start_response):
    """Whether references of this module's functions are counted."""
    start_response("200 OK", [])
    return [b"no" if sys.getrefcount(counted) >= 1 << 30 else b"yes"]


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)
