#!/bin/sh
# make test: every check that a change has to pass, on every Python of scripts/pythons.sh.
#
# It installs what it needs: virtual environments under .venvs, nginx, curl, openssl, strace and valgrind through apt
# where that is allowed. With CI set, as .ci/run does, a tool that is missing in the end is a failure; otherwise the tests
# that need it are skipped.
set -eu
. "$(dirname "$0")/lib.sh"

begin=$(date +%s)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# The environments take the network, the checks the processor: they go together.
make_environments() {
    while read -r version executable; do
        interpreter=$(scripts/venv.sh "$executable" tests/requirements.txt) || return 1
        echo "$version $interpreter"
    done <"$scratch/pythons" >"$scratch/environments"
    first=$(head -n 1 "$scratch/environments")
    link_environment ".venvs/${first%% *}"
}

# timed COMMAND...: runs it and prints how long it took. The first failure does not stop the rest.
failures=0
timed() {
    timed_begin=$(date +%s)
    if "$@"; then
        echo "      ok, $(($(date +%s) - timed_begin)) s"
    else
        echo "      FAILED, $(($(date +%s) - timed_begin)) s"
        failures=$((failures + 1))
    fi
}

# suite BINARY PYTHON FLAGS... runs the black-box suite. What fails is run once more, alone: a test that passes then has
# met a machine too busy for it, or a race that shows seldom. It is named at the end, and deserves to be mended.
flaky=
suite() {
    suite_binary=$1
    suite_python=$2
    shift 2
    suite_log=$scratch/suite.log
    # The tests wait more than they compute: four at a time suit two cores.
    suite_run -parallel 4 "$@" >"$suite_log" 2>&1 && return
    cat "$suite_log" >&2
    suite_failed=$(sed -n 's/^--- FAIL: \(Test[A-Za-z0-9_]*\) .*/\1/p' "$suite_log" | sort -u)
    # Many failures are no accident, and neither is a suite that was killed or panicked.
    case $(echo "$suite_failed" | wc -w) in 1 | 2 | 3) ;; *) return 1 ;; esac
    ! grep -q '^panic: ' "$suite_log" || return 1
    # shellcheck disable=SC2086
    echo "      once more, alone:" $suite_failed
    quietly suite_run -parallel 1 "$@" -run "^($(echo "$suite_failed" | paste -s -d '|'))\$" || return 1
    # shellcheck disable=SC2086
    flaky="$flaky$(printf '\n  %s' $suite_failed)"
}

# suite_run FLAGS...: go test with what suite has set.
suite_run() {
    PYHOST_BIN=$root/$suite_binary PYHOST_PYTHON=$suite_python go test -count=1 -timeout 10m "$@" ./tests/
}

packages() { go list ./... | grep -v /tests; }

scripts/toolchain.sh
scripts/pythons.sh >"$scratch/pythons"
steps $((5 + $(wc -l <"$scratch/pythons")))

step "Preparing virtual environments of Python $(cut -d ' ' -f 1 "$scratch/pythons" | tr '\n' ' ')in the background"
if ! command -v nginx >/dev/null 2>&1 && [ ! -x /usr/sbin/nginx ]; then
    scripts/packages.sh nginx libnginx-mod-stream || [ -z "${CI:-}" ]
fi
for tool in curl openssl strace valgrind; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        scripts/packages.sh "$tool" || [ -z "${CI:-}" ]
    fi
done
make_environments &
environments=$!

step "Checking format, go vet, and that everything but the C layer builds without cgo"
timed check_format
timed quietly go vet ./...
timed quietly go vet -tags soak ./tests
timed quietly env CGO_ENABLED=0 go vet ./...
timed quietly env CGO_ENABLED=0 go build ./...

step "Testing the Go packages with the race detector"
# shellcheck disable=SC2046
timed quietly go test -race $(packages)

step "Building bin/pyhost"
quietly make --no-print-directory build

wait "$environments" || die "The virtual environments could not be made."
default=$(head -n 1 "$scratch/environments")

while read -r version interpreter; do
    step "Running the black-box suite on Python $version"
    timed suite bin/pyhost "$interpreter"
done <"$scratch/environments"

step "Building with the tag cpy3, which binds Python ${default%% *} with the linker, and running the suite on that"
first=$(head -n 1 "$scratch/pythons")
case $first in
*" /usr/bin/"*) # Debian has the headers in a package of its own
    scripts/cpy3-flags.sh "${first#* }" >/dev/null 2>&1 || scripts/packages.sh "libpython${first%% *}-dev" || true
    ;;
esac
if scripts/cpy3-flags.sh "${first#* }" >/dev/null || [ -n "${CI:-}" ]; then
    timed quietly make --no-print-directory build-cpy3 PYTHON="${first#* }"
    timed suite bin/pyhost-cpy3 "${default#* }" -short
else
    echo "      skipped"
fi

[ -z "$flaky" ] || echo "These failed first and passed alone, their output is above:$flaky"
took="$(($(date +%s) - begin)) s"
[ "$failures" -eq 0 ] || die "$failures of the checks failed, in $took."
echo "All passed in $took."
