"""Leaves holes between its objects at import; /small and /large allocate what fits in, and tell what became private."""

import json

COUNT = 160000
KEPT = 16  # all but one of so many objects stay


def scattered(size):
    """Objects of so many bytes, with holes between them."""
    objects = [bytes(size) for _ in range(COUNT if size < 512 else COUNT // 8)]
    del objects[::KEPT]
    return objects


# 33 bytes of each are CPython's own. The first kind is of CPython's allocator, the second of the C library's.
SMALL, LARGE = 64 - 33, 800 - 33
scattered_objects = scattered(SMALL), scattered(LARGE)
kept = []


def private_dirty():
    """KiB that this process shares with no other, and has written to."""
    with open("/proc/self/smaps_rollup") as rollup:
        for line in rollup:
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1])


def application(environ, start_response):
    """Allocates what would fit into the holes of one kind; nothing at any other path."""
    size, count = {"/small": (SMALL, COUNT // KEPT), "/large": (LARGE, COUNT // 8 // KEPT)}.get(
        environ["PATH_INFO"], (0, 0))
    before = private_dirty()
    kept.append([bytes(size) for _ in range(count)])
    body = json.dumps({"allocated": count * (size + 33) // 1024, "private": private_dirty() - before}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
