#!/bin/sh
# make fuzz: runs every fuzz test of every package for FUZZTIME, one after the other.
set -eu
. "$(dirname "$0")/lib.sh"

scripts/toolchain.sh
found=0
for package in $(go list ./...); do
    # Names are printed before the line that says how long the package took.
    names=$(go test -run '^$' -list '^Fuzz' "$package" | grep '^Fuzz' || true)
    for name in $names; do
        found=1
        echo "== $package $name"
        go test -run '^$' -fuzz "^$name\$" -fuzztime "${FUZZTIME:-30s}" "$package"
    done
done
[ "$found" -eq 1 ] || die "There is no fuzz test."
