#!/bin/sh
# Prints the cgo flags that bind github.com/go-python/cpy3 to one Python, as shell assignments:
#
#   eval "$(scripts/cpy3-flags.sh python3.11)" && go build -tags cpy3 -o bin/pyhost-cpy3 ./cmd/pyhost
#
# Headers, library and run path all come from that one interpreter's own sysconfig. cpy3 itself asks pkg-config for
# "python3", which may be another Python of this machine and, since 3.8, names no library: PKG_CONFIG=true answers it
# with nothing.
set -eu

python=${1:-${PYTHON:-python3}}
here=$(cd "$(dirname "$0")" && pwd)

command -v "$python" >/dev/null 2>&1 || {
    echo "cpy3-flags: $python: no such interpreter; name one, for instance: $0 python3.11" >&2
    exit 1
}

exec "$python" - "$here/cpy3-compat.h" <<'PROGRAM'
import os
import shlex
import sys
import sysconfig
import zlib


def fail(cause, remedy):
    sys.exit("cpy3-flags: %s: %s\n%s" % (sys.executable, cause, remedy))


def find_library():
    """The directory and the file name of the shared libpython, or None."""
    name = sysconfig.get_config_var("INSTSONAME") or ""
    libdir = sysconfig.get_config_var("LIBDIR") or ""
    # Debian 11 and Ubuntu 20.04 say /usr/lib and mean /usr/lib/x86_64-linux-gnu.
    multiarch = os.path.join(libdir, sysconfig.get_config_var("MULTIARCH") or "")
    folders = [libdir, multiarch, os.path.join(sys.base_prefix, "lib")]
    for folder in folders:
        if folder and ".so" in name and os.path.exists(os.path.join(folder, name)):
            return folder, name
    return None


version = "%d.%d" % sys.version_info[:2]
if sys.version_info < (3, 7):
    fail("this is Python " + version, "cpy3 needs 3.7 or newer.")
include = sysconfig.get_path("include")
platinclude = sysconfig.get_path("platinclude")
if not os.path.exists(os.path.join(include, "Python.h")):
    fail("no Python.h in " + include, "Debian, Ubuntu: apt install python%s-dev" % version)
library = find_library()
if library is None:
    fail(
        "it has no shared libpython",
        "Debian, Ubuntu: apt install libpython%s\n"
        "pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install %s" % (version, version),
    )

compat = sys.argv[1]
cflags = ["-I" + include]
if platinclude != include:
    cflags.append("-I" + platinclude)
cflags += ["-DPYHOST_CPY3_PYTHON=0x%04x" % (sys.hexversion >> 16)]
# Not used by the code: Go's build cache sees flags, not headers, and must notice another 3.11 or another compat header.
with open(compat, "rb") as header:
    cflags += ["-DPYHOST_CPY3_KEY=0x%08x%08x" % (sys.hexversion, zlib.crc32(header.read()))]
cflags += ["-include", compat]
# Old names that the interpreter deprecates are cpy3's business, not ours.
cflags += ["-O2", "-g", "-Wno-deprecated-declarations"]
ldflags = ["-L" + library[0], "-l:" + library[1], "-Wl,-rpath," + library[0]]


def assignment(name, words):
    # Go splits the value at spaces and honours quotes around a word.
    joined = " ".join("'%s'" % word if " " in word else word for word in words)
    return "export %s=%s" % (name, shlex.quote(joined))


print(assignment("CGO_ENABLED", ["1"]))
print(assignment("PKG_CONFIG", ["true"]))
print(assignment("CGO_CFLAGS", cflags))
print(assignment("CGO_LDFLAGS", ldflags))
PROGRAM
