"""Returns its body in every form that Python can iterate over."""


class Iterable:
    def __iter__(self):
        return iter([b"an ", b"iterable"])


class Iterator:
    def __init__(self):
        self.blocks = [b"iterator", b"an "]

    def __iter__(self):
        return self

    def __next__(self):
        if not self.blocks:
            raise StopIteration
        return self.blocks.pop()


class Sequence:
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return [b"a ", b"sequence"][index]


class Numbered(list):
    def __iter__(self):
        return (str(index).encode() + block for index, block in enumerate(super().__iter__()))


def generated(*blocks):
    yield from blocks


BODIES = {
    "list": lambda: [b"a list"],
    "list-of-three": lambda: [b"a ", b"longer ", b"list"],
    "list-with-empties": lambda: [b"", b"a ", b"", b"list", b""],
    "list-subclass": lambda: Numbered([b"a", b"b"]),
    "empty-list": lambda: [],
    "empty-block": lambda: [b""],
    "tuple": lambda: (b"a ", b"tuple"),
    "generator": lambda: generated(b"a ", b"generator"),
    "generator-of-one": lambda: generated(b"one"),
    "generator-with-empties": lambda: generated(b"", b"a ", b"", b"generator", b""),
    "empty-generator": lambda: generated(),
    "iterable": Iterable,
    "iterator": Iterator,
    "sequence": Sequence,
    "map": lambda: map(bytes.upper, [b"a ", b"map"]),
    "set": lambda: {b"a set"},
    "megabyte": lambda: [b"m" * 1048576],
    "thousand": lambda: generated(*[b"0123456789"] * 1000),
    "list-of-thousand": lambda: [b"0123456789"] * 1000,
}


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return BODIES[environ["PATH_INFO"].strip("/")]()
