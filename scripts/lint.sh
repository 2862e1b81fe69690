#!/bin/sh
# make lint: formatting, go vet, golangci-lint, C warnings, shell scripts. Runs all of them and fails if one did.
# A checker that is not installed is an error with CI set, a line otherwise.
set -u
. "$(dirname "$0")/lib.sh"

failed=0
check() {
    echo "== $1"
    shift
    "$@" || failed=1
}

# optional TOOL REMEDY COMMAND...
optional() {
    tool=$1
    remedy=$2
    shift 2
    if command -v "$tool" >/dev/null 2>&1; then
        check "$tool" "$@"
    else
        echo "== $tool is not installed: $remedy"
        [ -z "${CI:-}" ] || failed=1
    fi
}

# Go's own C has parameters that it does not use, and a declaration that is no prototype.
warnings="-O2 -g -Wall -Wextra -Wshadow -Wstrict-prototypes -Wno-unused-parameter -Werror -Wno-error=strict-prototypes"

scripts/toolchain.sh || exit 1
check gofmt check_format
check "go vet" go vet ./...
check "go vet of the soak test" go vet -tags soak ./tests
check "go vet without cgo" env CGO_ENABLED=0 go vet ./...
check "C warnings" env CGO_ENABLED=1 CGO_CFLAGS="$warnings" go build -o /dev/null ./cmd/pyhost
optional golangci-lint "https://golangci-lint.run/docs/welcome/install/" golangci-lint run
optional shellcheck "apt install shellcheck" \
    shellcheck --external-sources --source-path=SCRIPTDIR scripts/*.sh bench/*.sh .ci/run
exit "$failed"
