#!/bin/sh
# suite.sh race|asan|load|soak: the tests with a specially built binary, or for a long time.
set -eu
. "$(dirname "$0")/lib.sh"

kind=$1
steps 3
step "Preparing the virtual environment"
scripts/toolchain.sh
interpreter=$(scripts/venv.sh "${PYTHON:-python3}" tests/requirements.txt)
binary=$root/bin/pyhost-$kind
suite() {
    PYHOST_BIN=$binary PYHOST_PYTHON=$interpreter go test ./tests/ -count=1 -timeout "$@"
}

case $kind in
race)
    step "Running the tests of the Go packages with -race"
    # shellcheck disable=SC2046
    go test -race $(go list ./... | grep -v /tests)
    step "Running the black-box suite against a -race binary"
    go build -race -o "$binary" ./cmd/pyhost
    # The detector's own records grow with what it has seen: there is no leak to measure.
    suite 30m -skip '^TestNothingLeaks$'
    ;;
asan)
    step "Building the binary with AddressSanitizer"
    # libstdc++ must be there when the sanitizer starts: greenlet is written in C++ and comes later.
    CGO_LDFLAGS="-Wl,--no-as-needed -lstdc++" go build -asan -o "$binary" ./cmd/pyhost
    step "Running the black-box suite"
    # CPython frees little at its end: leak reports would be about that. Its own allocator would hide overruns.
    # Freed memory is kept in quarantine, a little of it only: the tests look at how processes grow.
    export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:quarantine_size_mb=4:thread_local_quarantine_size_kb=64
    export PYTHONMALLOC=malloc
    suite 30m
    ;;
load)
    step "Building bin/pyhost"
    make --no-print-directory build
    binary=$root/bin/pyhost
    step "Reloading, recycling, scaling and killing under load"
    PYHOST_LOAD=full suite 40m -run '^TestLoad|^TestReloadStorm|^TestUpgrade' -parallel 2 -v
    ;;
soak)
    step "Building bin/pyhost"
    make --no-print-directory build
    binary=$root/bin/pyhost
    step "Loading, reloading and killing for ${SOAKTIME:-30m}"
    suite 0 -tags soak -run '^TestSoak$' -v -soak "${SOAKTIME:-30m}"
    ;;
*) die "suite.sh: race, asan, load or soak, not $kind" ;;
esac
