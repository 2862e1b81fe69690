"""Switches greenlets under the server's feet: within a request, and suspended across requests."""
import threading

import greenlet

TEXT = [("Content-Type", "text/plain")]
suspended = threading.local()


def juggle(environ, start_response):
    order = []

    def player(name):
        for turn in range(50):
            order.append(name)
            greenlet.getcurrent().parent.switch()

    players = [greenlet.greenlet(player) for _ in range(10)]
    for turn in range(50):
        for name, one in enumerate(players):
            one.switch(name) if turn == 0 else one.switch()
    start_response("200 OK", TEXT)
    return [str(len(order)).encode()]


def inside(environ, start_response):
    """Everything that the server offers is called on a greenlet's own stack."""

    def body():
        yield b"read " + environ["wsgi.input"].read(-1)
        yield b" inside"

    def serve():
        environ["wsgi.early_hints"]([("X-Stack", "greenlet")])
        start_response("200 OK", TEXT)(b"written ")
        environ["wsgi.errors"].flush()
        return body()

    return greenlet.greenlet(serve).switch()


def stepwise(environ, start_response):
    """Each block is made by a greenlet that is suspended while the server sends the previous one."""

    def produce():
        for number in range(5):
            greenlet.getcurrent().parent.switch(str(number).encode())

    producer = greenlet.greenlet(produce)
    start_response("200 OK", TEXT)
    block = producer.switch()
    while block:
        yield block
        block = producer.switch()


def across(environ, start_response):
    """Resumes what an earlier request of this thread left suspended, and leaves it suspended again."""

    def count():
        number = 0
        while True:
            number += 1
            greenlet.getcurrent().parent.switch(number)

    if not hasattr(suspended, "counter"):
        suspended.counter = greenlet.greenlet(count)
    suspended.counter.parent = greenlet.getcurrent()
    number = suspended.counter.switch()
    start_response("200 OK", TEXT)
    return ["{} {}".format(threading.get_ident(), number).encode()]


def abandoned(environ, start_response):
    """A suspended greenlet that is collected: GreenletExit is thrown into it."""
    ends = []

    def wait():
        try:
            greenlet.getcurrent().parent.switch()
        finally:
            ends.append(b"ended")

    one = greenlet.greenlet(wait)
    one.switch()
    del one
    start_response("200 OK", TEXT)
    return ends


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](environ, start_response)
