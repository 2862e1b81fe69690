#!/bin/sh
# python-nogil.sh: builds a free-threaded CPython (PEP 703) with a shared libpython, installs it into .pythons/VERSIONt,
# and prints the path of its interpreter. Quick when it is there already.
#
# SOURCE=PATH: the release's archive or its unpacked sources, where python.org cannot be reached. NOGIL_VERSION=X.Y.Z:
# another release. NOGIL_SHA256: the checksum of its archive; without one, what python.org sends is trusted.
set -eu
. "$(dirname "$0")/lib.sh"

pinned=3.13.5
pinned_sha256=93e583f243454e6e9e4588ca2c2662206ad961659863277afcdb96801647d640

version=${NOGIL_VERSION:-$pinned}
sha256=${NOGIL_SHA256:-}
[ "$version" != "$pinned" ] || sha256=${sha256:-$pinned_sha256}
address=https://www.python.org/ftp/python/$version/Python-$version.tar.xz
work=$root/build/python-nogil
prefix=$root/.pythons/${version}t

# what is installed says so itself: free-threaded, with a libpython
works() {
    "$1" -c 'import sys, sysconfig; sys.exit(not (sysconfig.get_config_var("Py_GIL_DISABLED") and
        sysconfig.get_config_var("Py_ENABLE_SHARED")))' 2>/dev/null
}

interpreter=$prefix/bin/python3
if works "$interpreter"; then
    printf '%s\n' "$interpreter"
    exit
fi

for tool in cc make tar xz; do
    command -v "$tool" >/dev/null 2>&1 ||
        die "Building CPython needs $tool, which is not on the PATH." \
            "Debian, Ubuntu: apt install build-essential xz-utils libssl-dev zlib1g-dev libffi-dev libsqlite3-dev"
done

# download: the archive into the build folder.
download() {
    if command -v curl >/dev/null 2>&1; then
        curl -fsSL --retry 2 -o "$archive.part" "$address"
    elif command -v wget >/dev/null 2>&1; then
        wget -q -O "$archive.part" "$address"
    else
        die "Neither curl nor wget is on the PATH, and no SOURCE was given." \
            "Get $address and name it: make python-nogil SOURCE=PATH"
    fi || die "$address cannot be fetched." \
        "Get the release's source archive some other way and name it, or the folder it unpacks to:" \
        "    make python-nogil SOURCE=/path/to/Python-$version.tar.xz"
    mv "$archive.part" "$archive"
}

# unpack ARCHIVE: into the build folder, after a look at its checksum.
unpack() {
    if [ -n "$sha256" ] && [ "$(sha256sum "$1" | cut -d ' ' -f 1)" != "$sha256" ]; then
        die "$1 is not the archive of CPython $version: its SHA-256 is not $sha256." \
            "Fetch it again, or name another release with NOGIL_VERSION and its NOGIL_SHA256."
    fi
    rm -rf "$work/source"
    mkdir -p "$work/source"
    tar -C "$work/source" --strip-components=1 -xf "$1" || die "$1 cannot be unpacked."
    source=$work/source
}

mkdir -p "$work"
archive=$work/Python-$version.tar.xz
if [ -n "${SOURCE:-}" ] && [ -d "$SOURCE" ]; then
    source=$(cd "$SOURCE" && pwd)
elif [ -n "${SOURCE:-}" ]; then
    [ -f "$SOURCE" ] || die "SOURCE is $SOURCE, which is neither an archive nor a folder."
    unpack "$SOURCE"
else
    [ -f "$archive" ] || download
    unpack "$archive"
fi
[ -x "$source/configure" ] || die "$source holds no sources of CPython: it has no configure script."
have=$(sed -n 's/^#define PY_VERSION  *"\([0-9.]*\).*"/\1/p' "$source/Include/patchlevel.h")
[ "$have" = "$version" ] || die "SOURCE is CPython $have, not $version: add NOGIL_VERSION=$have"

# No profile-guided optimisation: it would take an hour. The build is out of the way of what else the machine does.
echo "Building a free-threaded CPython $version in $work: this takes some minutes" >&2
rm -rf "$work/objects" "$prefix"
mkdir -p "$work/objects"
cd "$work/objects"
quietly "$source/configure" -q --prefix="$prefix" --disable-gil --enable-shared --with-ensurepip=install \
    LDFLAGS="-Wl,-rpath,$prefix/lib" >&2 || die "configure failed: see above and $work/objects/config.log"
quietly nice make -s -j"$(nproc)" >&2 || die "CPython does not compile: see above"
quietly make -s install >&2 || die "CPython cannot be installed into $prefix: see above"
works "$interpreter" || die "$interpreter was built, but is not free-threaded with a shared libpython." \
    "--disable-gil needs a CPython 3.13 or newer."
rm -rf "$work"
printf '%s\n' "$interpreter"
