#!/bin/sh
# Makes .venv-bench with every peer that bench/run.py measures, and looks after wrk and libev. PYTHON names another
# interpreter than python3. Quick when nothing is missing; clean up with make clean.
#
# A peer that cannot be installed goes to .venv-bench/missing.txt with the reason and does not stop the others: run.py
# prints it as missing.
set -eu
# shellcheck source=../scripts/lib.sh
. "$(dirname "$0")/../scripts/lib.sh"

venv=$root/.venv-bench
python=${PYTHON:-python3}
# The newest of each: run.py records the versions that it met.
peers="gunicorn uwsgi granian bjoern fastwsgi waitress flask django falcon bottle"

identity() { "$1" -c 'import sys; print(sys.version, sys.base_prefix)' 2>/dev/null; }

# The compiler, not a path, knows where headers are.
has_header() { printf '#include <%s>\n' "$1" | cc -E -xc - >/dev/null 2>&1; }

# install DISTRIBUTION: into the environment; the reason why not goes to missing.txt.
install() {
    echo "      installing $1"
    if ! "$venv/bin/pip" install --quiet --disable-pip-version-check "$1" >"$venv/$1.log" 2>&1; then
        reason=$(grep -i error "$venv/$1.log" | tail -n 1)
        printf '%s\t%s\n' "$1" "${reason:-pip install failed}" >>"$venv/missing.txt"
        echo "      MISSING: $1: ${reason:-pip install failed} (all of it: $venv/$1.log)" >&2
    fi
}

for program in wrk openssl; do
    command -v "$program" >/dev/null 2>&1 || scripts/packages.sh "$program"
done
# One row has it in front; without, that row is the one that is missing.
command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || scripts/packages.sh nginx || true
# Only bjoern needs it: without, bjoern is the one that is missing.
has_header ev.h || scripts/packages.sh libev-dev || true

wanted=$(identity "$python") || die "$python does not run. Name a Python: PYTHON=/path/to/python3 make bench"
if [ "$(identity "$venv/bin/python")" != "$wanted" ]; then
    rm -rf "$venv"
    "$python" -m venv "$venv" || die "$python has no venv module. Debian, Ubuntu: apt install python3-venv"
    # fastwsgi 0.0.9 imports pkg_resources when it starts; setuptools 82 has dropped it.
    quietly "$venv/bin/pip" install --quiet --upgrade pip wheel 'setuptools<82'
fi

: >"$venv/missing.txt"
for peer in $peers; do
    "$venv/bin/pip" show --quiet "$peer" >/dev/null 2>&1 || install "$peer"
done

CGO_ENABLED=0 go build -trimpath -o "$venv/fasthttp" ./bench/fasthttp ||
    printf 'fasthttp\tgo build ./bench/fasthttp failed\n' >>"$venv/missing.txt"
cc -O2 -Wall -Wextra -o "$venv/floor" bench/floor/floor.c ||
    printf 'floor\tcc bench/floor/floor.c failed\n' >>"$venv/missing.txt"
