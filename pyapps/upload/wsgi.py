"""Hashes the request body block by block; "/rss" tells the process's peak and current memory in KiB."""
import hashlib


def memory():
    with open("/proc/self/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return "{} {}".format(fields["VmHWM"].split()[0], fields["VmRSS"].split()[0]).encode()


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/rss":
        return [memory()]
    digest = hashlib.sha256()
    size = 0
    for block in iter(lambda: environ["wsgi.input"].read(65536), b""):
        digest.update(block)
        size += len(block)
    return ["{} {}".format(size, digest.hexdigest()).encode()]
