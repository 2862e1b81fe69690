"""What Python code tells the worker's other half, and is told by it: JSON datagrams on a socket pair.

Nothing may call into Go while Python runs, so a hook's log line, or pyhost.reload(), is a note that Go reads.
"""

import json
import socket

TEXT_MAX = 30_000  # characters of a log text: a datagram has to fit into the socket's buffer

_channel = None


class Channel:
    """The worker's end.  send may be called from any thread."""

    def __init__(self, fd):
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(True)

    def send(self, note):
        """Send one note; a worker that is ending reads none, which is no error."""
        try:
            self._socket.send(json.dumps(note, ensure_ascii=False).encode("utf-8", "backslashreplace"))
        except OSError:
            pass

    def log(self, level, text):
        """Write to the error log: the sink of hooklog.Log."""
        if len(text) > TEXT_MAX:
            text = text[:TEXT_MAX] + "..."
        self.send({"note": "log", "level": level, "text": text})

    def receive(self):
        """Wait for a message of the other half: the name of a hook to run, "" at the end."""
        try:
            return self._socket.recv(256).decode()
        except OSError:
            return ""


def open_channel(fd):
    """Open the worker's channel; once, at boot."""
    global _channel
    _channel = Channel(fd)
    return _channel


def channel():
    """The channel of this worker, None in the forkserver."""
    return _channel
