"""What a request's environ holds besides strings: input and error streams, the file wrapper, the client's socket."""

import io
import os
import socket
import stat
import sys

import _pyhost

BLOCK = 64 * 1024


class EmptyInput(io.BytesIO):
    """wsgi.input of a request without a body.  One object serves all: it holds nothing and cannot be closed."""

    def close(self):
        """Do nothing: the next request reads from the same object."""

    def seek(self, offset, whence=0):
        """Answer as io.BytesIO does, and stay at 0: the position would be the next request's, too."""
        return io.BytesIO().seek(offset, whence)

    def write(self, data):
        """Refuse: wsgi.input is for reading, and what is written here the next request would read."""
        raise io.UnsupportedOperation("not writable")

    def writelines(self, lines):
        """Refuse, as write."""
        raise io.UnsupportedOperation("not writable")


class StreamedBody(io.RawIOBase):
    """The raw side of a body that arrives while the application runs (``Expect: 100-continue``).

    The server's half reads the client's socket, undoes the framing and sends packets: ``D`` + data, ``X`` + text when
    the body was cut or malformed, ``E`` when it is complete.  It starts, and sends 100 Continue, at the first read:
    RFC 9110 10.1.1.  Its end without ``E`` means that the request is over: a body must not look complete to a thread
    that reads on.
    """

    def __init__(self, fd):
        super().__init__()
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(True)
        self._started = False
        self._error = None
        self._ended = False
        self._rest = memoryview(b"")

    def readable(self):
        """Always true."""
        return True

    def readinto(self, target):
        """Fill target; 0 at the end of the body; OSError when the body was cut."""
        if self._error is not None:
            raise OSError(self._error)
        if not self._rest and not self._ended:
            self._receive()
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _receive(self):
        if not self._started:
            self._started = True
            self._socket.sendall(b"G")
        packet = self._socket.recv(BLOCK + 1)
        if packet[:1] == b"E":
            self._ended = True
            return
        if packet[:1] != b"D":
            self._error = packet[1:].decode("latin-1") or "request body cut: the request is over"
            raise OSError(self._error)
        self._rest = memoryview(packet)[1:]

    def close(self):
        """Let the server's half go; also when the application never read."""
        if not self.closed:
            self._socket.close()
        super().close()


def open_stream(fd):
    """wsgi.input over the packets of fd."""
    return io.BufferedReader(StreamedBody(fd), BLOCK)


def open_file(fd):
    """wsgi.input over a spooled body; the file has no name any more."""
    return open(fd, "rb", buffering=BLOCK)


class FileWrapper:
    """wsgi.file_wrapper (PEP 3333, "Optional Platform-Specific File Handling"): a file, from where it stands."""

    def __init__(self, filelike, blksize=8192):
        self.filelike = filelike
        self.blksize = max(blksize, BLOCK)  # a suggestion: larger blocks are fewer system calls
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self):
        return self

    def __next__(self):
        data = self.filelike.read(self.blksize)
        if data:
            return data
        raise StopIteration

    def __getitem__(self, index):
        """The old iteration protocol, which PEP 3333's example and gunicorn's class offer."""
        data = self.filelike.read(self.blksize)
        if data:
            return data
        raise IndexError(index)


KINDS = (io.FileIO, io.BufferedReader, io.BufferedRandom)


def _is_ios_own(file):
    """Whether what a file object says of itself is what io says of its descriptor."""
    kind = next((kind for kind in KINDS if isinstance(file, kind)), None)
    return kind is not None and all(
        getattr(type(file), name) is getattr(kind, name) for name in ("read", "tell", "fileno"))


def plain_file(wrapper):
    """(descriptor, offset, size) of what a FileWrapper will read, if that is the rest of a regular file as it lies on
    the disk; else None.

    A file object may show something else than its descriptor does, as gzip's, or one whose methods are not io's own.
    """
    file = wrapper.filelike
    if type(file).__module__ == "tempfile":
        file = getattr(file, "file", None)
    raw = file.raw if isinstance(file, (io.BufferedReader, io.BufferedRandom)) else file
    if not isinstance(raw, io.FileIO) or not _is_ios_own(raw) or not _is_ios_own(file):
        return None
    try:
        if isinstance(file, io.BufferedRandom):
            file.flush()
        offset = file.tell()
        status = os.fstat(raw.fileno())
    except (OSError, ValueError):
        return None  # closed, or a pipe: read() knows what to say
    if not stat.S_ISREG(status.st_mode) or status.st_size <= offset:
        return None
    return raw.fileno(), offset, status.st_size


class ClientSocket:
    """environ["gunicorn.socket"]: the client's connection, made a real socket when something of it is used.

    Using it takes the connection out of the server's hands: nothing more is sent on it and it is closed after the
    request.  It is good only while a request of its connection runs; afterwards one that was used is a closed socket,
    with OSError, as the threads of websocket libraries expect, and one that was not raises RuntimeError.
    """

    # The server makes one for each connection, without a Python function, and sets _id.  _socket is there while in use:
    # the server deletes it after the request.  _used is there from the first use on.
    __slots__ = ("_id", "_socket", "_used")

    def __getattr__(self, name):
        if name == "_used":
            return False
        if name != "_socket":
            return getattr(self._socket, name)
        self._socket = found = self._closed() if self._used else self._take()
        return found

    def _take(self):
        taken = socket.socket(fileno=_pyhost.connection_fd(self._id))
        taken.setblocking(True)
        self._used = True
        return taken

    @staticmethod
    def _closed():
        closed = socket.socket()
        closed.close()
        return closed


class ErrorStream(io.TextIOWrapper):
    """wsgi.errors.  One object serves all requests of a listener: no application can close it for the others."""

    def close(self):
        """Flush only."""
        self.flush()


class LogFile(io.FileIO):
    """The error log.  What a full disk or a pipe that nobody reads does not take is lost, but no request is."""

    def write(self, data):
        """Write what goes, and take the rest for written."""
        try:
            count = super().write(data)
        except OSError:
            count = None
        return len(data) if count is None else count


def open_errors(fd, form="text"):
    """wsgi.errors: text, to the error log, line by line, whatever the locale; with form json as messages."""
    if form == "json":
        import _pyhost_capture as capture
        return capture.Captured(sys.__stderr__, fd, "error", form)
    raw = LogFile(fd, "w", closefd=False)
    return ErrorStream(io.BufferedWriter(raw), "utf-8", "backslashreplace", line_buffering=True)
