#!/bin/sh
# Says what is missing for building pyhost, and how to get it. Silent when all is there.
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
command -v "${cc%% *}" >/dev/null 2>&1 ||
    die "Building pyhost needs a C compiler, and there is no $cc." "Debian, Ubuntu: apt install gcc libc6-dev"
