"""Installs a handler for SIGUSR2 at import, as profilers do; answers how often it ran."""
import signal

received = []
signal.signal(signal.SIGUSR2, lambda number, frame: received.append(number))


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(len(received)).encode()]
