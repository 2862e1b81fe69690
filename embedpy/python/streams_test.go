package python

import "testing"

// The Python end of a streamed body: packets of workers/streamed.go become what wsgi.input reads.
func TestStreamedBody(t *testing.T) {
	python(t, `
import streams, threading

def body(*packets):
    """wsgi.input and the server's end, with these packets sent after the first read."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    def feed():
        if theirs.recv(10) == b"G":
            for packet in packets:
                theirs.send(packet)
        theirs.close()
    threading.Thread(target=feed).start()
    return streams.open_stream(ours.detach())

assert body(b"E").read() == b""
assert body(b"Dhello", b"E").read() == b"hello"
assert body(b"Dhe", b"Dllo", b"E").read() == b"hello"
assert body(b"Dhe", b"Dllo", b"E").read(3) == b"hel"
assert list(body(b"Da\nb", b"D\nc", b"E")) == [b"a\n", b"b\n", b"c"]
assert body(*[b"D" + b"x" * 65536] * 5, b"E").read() == b"x" * 5 * 65536

twice = body(b"Dhello", b"E")
assert twice.read() + twice.read() == b"hello"

cut = body(b"Dhe", b"Xcut after 2 of 5 bytes \xe9")
assert raises(OSError, cut.read) == "cut after 2 of 5 bytes \xe9"
assert raises(OSError, cut.read) == "cut after 2 of 5 bytes \xe9", "a second read must not look like the end"

for packets in [], [b"Dhe"]:
    over = body(*packets)
    assert raises(OSError, over.read) == "request body cut: the request is over"
    assert raises(OSError, over.read) == "request body cut: the request is over"

unread, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
streams.open_stream(unread.detach()).close()
assert theirs.recv(10) == b"", "closed unread: the server's half must see the end, and no wish to read"
`, "")
}

func TestFileWrapper(t *testing.T) {
	python(t, `
import streams

class NoClose:
    def __init__(self, text): self.read = io.BytesIO(text).read

wrapper = streams.FileWrapper(io.BytesIO(b"x" * 100000), 10)
assert [len(block) for block in wrapper] == [65536, 34464]
assert wrapper.filelike.closed is False
wrapper.close()
assert wrapper.filelike.closed
assert not hasattr(streams.FileWrapper(NoClose(b"")), "close")
assert len(streams.FileWrapper(NoClose(b"x" * 300000), 200000)[0]) == 200000
raises(IndexError, streams.FileWrapper(NoClose(b"")).__getitem__, 0)
`, "")
}

func TestSmallStreams(t *testing.T) {
	python(t, `
import streams, tempfile

empty = streams.EmptyInput()
empty.close()
assert empty.read() == b"" and empty.readline() == b"" and list(empty) == []
raises(io.UnsupportedOperation, empty.write, b"x")
assert empty.seek(0, 2) == 0 and empty.seek(10) == 10
assert empty.tell() == 0, "the next request would start at 10"
raises(ValueError, empty.seek, -1)

with tempfile.TemporaryFile() as log:
    errors = streams.open_errors(log.fileno())
    errors.write("caf\xe9 \u20ac \udc80\n")  # a lone surrogate must not raise in an error handler
    log.seek(0)
    assert log.read() == b"caf\xc3\xa9 \xe2\x82\xac \\udc80\n"
    errors.close()
    log.fileno()  # still open: the descriptor is the log's
    log.seek(0)

with tempfile.TemporaryFile() as spool:
    spool.write(b"body")
    spool.seek(0)
    body = streams.open_file(os.dup(spool.fileno()))
    assert body.read() == b"body"
    body.close()

client, far = socket.socketpair()
asked = []
_pyhost.connection_fd = lambda id: asked.append(id) or client.detach()
stand_in = streams.ClientSocket()
stand_in._id = 7
assert asked == [], "unused, it takes nothing"
stand_in.sendall(b"hello")
assert stand_in.getblocking() and asked == [7]
assert far.recv(10) == b"hello"

del stand_in._socket  # the server does, after the request
raises(OSError, stand_in.recv, 1)
raises(OSError, stand_in.sendall, b"late")
stand_in.close()
assert stand_in.fileno() == -1 and asked == [7]
assert far.recv(10) == b"", "its own descriptor is closed"
`, "")
}
