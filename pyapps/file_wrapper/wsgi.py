"""Sends files through wsgi.file_wrapper; $FILE is the file, "/closed" tells how many were closed."""
import gzip
import io
import os
import tempfile

closed = []


class Counted(io.FileIO):
    def close(self):
        if not self.closed:
            closed.append(self.name)
        super().close()


class OnlyRead:
    def __init__(self, content):
        self.content = io.BytesIO(content)

    def read(self, size=-1):
        return self.content.read(size)


def offset():
    handle = open(os.environ["FILE"], "rb")
    handle.seek(5)
    return handle


def pipe():
    reader, writer = os.pipe()
    os.write(writer, b"through a pipe")
    os.close(writer)
    return os.fdopen(reader, "rb")


def empty():
    return tempfile.TemporaryFile()


class Loud(io.FileIO):
    def read(self, size=-1):
        return super().read(size).upper()


def zipped():
    packed = tempfile.TemporaryFile()
    with gzip.GzipFile(fileobj=packed, mode="wb") as packer:
        packer.write(b"unpacked")
    packed.seek(0)
    return gzip.GzipFile(fileobj=packed)


def begun():
    handle = open(os.environ["FILE"], "rb")
    handle.read(5)
    return handle


def named():
    handle = tempfile.NamedTemporaryFile()
    handle.write(b"not flushed")
    handle.seek(4)
    return handle


def unflushed():
    handle = tempfile.TemporaryFile()
    handle.write(b"0123456789")
    handle.seek(0)
    handle.write(b"abc")
    return handle


def loud():
    handle = tempfile.NamedTemporaryFile(delete=False)
    handle.write(b"quiet")
    handle.close()
    source = Loud(handle.name)
    os.unlink(handle.name)
    return source


class Part(io.FileIO):
    """The end of a file, which counts from its own beginning."""

    def tell(self):
        return super().tell() - 5


def part():
    handle = Part(os.environ["FILE"])
    handle.seek(5)
    return handle


SOURCES = {
    "part": part,
    "begun": begun,
    "named": named,
    "unflushed": unflushed,
    "zipped": zipped,
    "loud": loud,
    "whole": lambda: open(os.environ["FILE"], "rb"),
    "raw": lambda: open(os.environ["FILE"], "rb", buffering=0),
    "offset": offset,
    "counted": lambda: Counted(os.environ["FILE"]),
    "memory": lambda: io.BytesIO(b"in memory"),
    "only-read": lambda: OnlyRead(b"only read()"),
    "pipe": pipe,
    "empty": empty,
}


def application(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    headers = [("Content-Type", "application/octet-stream")]
    if environ["QUERY_STRING"]:
        headers.append(("Content-Length", environ["QUERY_STRING"]))
    start_response("200 OK", headers)
    if name == "closed":
        return [str(len(closed)).encode()]
    if name == "iterated":
        wrapper = environ["wsgi.file_wrapper"](open(os.environ["FILE"], "rb"), 3)
        return [b"|".join(wrapper)]
    return environ["wsgi.file_wrapper"](SOURCES[name](), 4096)
