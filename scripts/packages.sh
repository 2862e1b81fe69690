#!/bin/sh
# packages.sh NAME...: installs Debian packages, if this is Debian and we may. Otherwise says what to install.
set -eu
. "$(dirname "$0")/lib.sh"

remedy="Install it and try again. Debian, Ubuntu: apt install $*"
command -v apt-get >/dev/null 2>&1 || die "Missing: $*" "$remedy"

if [ "$(id -u)" -eq 0 ]; then
    as_root="env"
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n env"
else
    die "Missing: $*" "$remedy"
fi

echo "      installing $*"
install() {
    # RUNLEVEL=1: a package that brings a service does not start it.
    $as_root DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y --no-install-recommends "$@"
}
# shellcheck disable=SC2086 # as_root is two words
# The first try spares an index update on a machine whose index is fresh.
install "$@" >/dev/null 2>&1 || {
    quietly $as_root apt-get update && quietly install "$@"
} || die "apt-get could not install: $*" "$remedy"
