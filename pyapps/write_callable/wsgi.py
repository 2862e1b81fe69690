"""PEP 3333, "The write() Callable": alone, mixed with an iterable, and misused."""

TEXT = [("Content-Type", "text/plain")]


def only(start_response):
    write = start_response("200 OK", TEXT)
    write(b"one ")
    write(b"two")
    return []


def mixed(start_response):
    write = start_response("200 OK", TEXT)
    write(b"written ")
    return [b"and ", b"returned"]


def generator(start_response):
    write = start_response("200 OK", TEXT)
    write(b"written ")

    def rest():
        write(b"from inside ")
        yield b"and yielded"

    return rest()


def length(start_response):
    write = start_response("200 OK", TEXT + [("Content-Length", "7")])
    write(b"counted")
    return []


def empty(start_response):
    write = start_response("200 OK", TEXT)
    write(b"")
    return [b"after nothing"]


def text(start_response):
    write = start_response("200 OK", TEXT)
    write("not bytes")
    return []


def endless(start_response):
    write = start_response("200 OK", TEXT)
    while True:
        write(b"0123456789abcdef" * 4096)


def fault(start_response):
    try:
        endless(start_response)
    except OSError as gone:
        raise ValueError("a fault beside a lost client") from gone


def application(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/")](start_response)
