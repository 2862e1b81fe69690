#!/bin/sh
# Says what is missing for building pyhost, and how to get it. A C compiler is installed, if packages.sh may. Silent when
# all is there.
set -eu
. "$(dirname "$0")/lib.sh"

want=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' go.mod)

command -v go >/dev/null 2>&1 ||
    die "pyhost is built with Go $want or newer, and there is no go command on the PATH." \
        "Get it from https://go.dev/dl/ and add its bin directory to the PATH."

# A Go of 1.21 or later that is too old fetches the right one by itself, unless GOTOOLCHAIN=local forbids it.
have=$(go env GOVERSION 2>/dev/null | sed 's/^go//') || have=
if ! printf '%s\n%s\n' "$want" "$have" | sort -C -V; then
    die "pyhost is built with Go $want or newer; this is $(GOTOOLCHAIN=local go version 2>/dev/null || echo 'an older one')." \
        "Get a newer one from https://go.dev/dl/ and put its bin directory first on the PATH."
fi

cc=$(go env CC)
# A compiler without the C library's headers is what apt leaves without its recommendations.
# shellcheck disable=SC2086 # CC may have options
compiles() { printf '#include <stdlib.h>\n' | $cc -E -xc - >/dev/null 2>&1; }
if ! compiles; then
    lacks="Building pyhost needs a C compiler and the C library's headers: $cc does not find stdlib.h, or is not there."
    echo "$lacks" >&2
    case $cc in
    gcc | cc) scripts/packages.sh gcc libc6-dev ;;
    *) die "Install them, or name another compiler: CC=gcc make ..." ;;
    esac
    compiles || die "$lacks"
fi
