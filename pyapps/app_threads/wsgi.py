"""Starts threads of its own: joined within the request, or ticking at $GATE between requests."""
import os
import socket
import threading


def tick():
    pause = threading.Event()
    with socket.socket(socket.AF_UNIX) as gate:
        gate.connect(os.environ["GATE"])
        try:
            while not pause.wait(0.02):
                gate.sendall(b".")
        except OSError:
            pass


def application(environ, start_response):
    if environ["PATH_INFO"] == "/tick":
        threading.Thread(target=tick, daemon=True).start()
        body = b"ticking"
    else:
        results = []
        threads = [threading.Thread(target=results.append, args=(n,)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        body = str(sum(results)).encode()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]
