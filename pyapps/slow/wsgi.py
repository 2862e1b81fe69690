"""Large responses, for clients that are slow: /list, /generator, /file, /endless; /state tells what ended."""

import itertools
import tempfile

BLOCK = b"0123456789abcdef" * 4096
BLOCKS = 320  # 20 MiB

file = tempfile.NamedTemporaryFile()
for _ in range(BLOCKS):
    file.write(BLOCK)
file.flush()

ended = {"generator": 0, "endless": 0, "file": 0}
produced = 0


def application(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    if name == "list":
        return [BLOCK * BLOCKS]
    if name == "generator":
        return generator(name, range(BLOCKS))
    if name == "endless":
        return generator(name, itertools.count())
    if name == "file":
        return environ["wsgi.file_wrapper"](Counted(file.name))
    if name == "state":
        return [repr((ended["generator"], ended["endless"], ended["file"], produced)).encode()]
    return [b"%d" % len(environ["wsgi.input"].read(-1))]


def generator(name, numbers):
    global produced
    try:
        for _ in numbers:
            produced += 1
            yield BLOCK
    finally:
        ended[name] += 1


class Counted(open(file.name, "rb", buffering=0).__class__):
    """A file that counts how often it is closed."""

    def close(self):
        if not self.closed:
            ended["file"] += 1
        super().close()
