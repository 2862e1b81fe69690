# Sourced by the other scripts of this directory. Sets root, the top of the source tree, and goes there.
# shellcheck shell=sh disable=SC2034 # they use root

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1

# A source tree of another owner must not fail the build: git would refuse to say the version, which nothing asks for.
export GOFLAGS="${GOFLAGS:--buildvcs=false}"

die() {
    printf '%s\n' "$@" >&2
    exit 1
}

# steps N: how many times step will be called.
steps() {
    step_count=$1
    step_number=0
}

# step TEXT: one numbered line of progress.
step() {
    step_number=$((step_number + 1))
    printf '[%d/%d] %s\n' "$step_number" "$step_count" "$1"
}

# quietly COMMAND...: runs it; its output is shown only if it fails.
quietly() {
    quietly_log=$(mktemp) || return 1
    quietly_status=0
    "$@" >"$quietly_log" 2>&1 || quietly_status=$?
    if [ "$quietly_status" -ne 0 ]; then
        printf 'This failed with status %d: %s\n' "$quietly_status" "$*" >&2
        cat "$quietly_log" >&2
    fi
    rm -f "$quietly_log"
    return "$quietly_status"
}

# python_info NAME: the line of python_info.py about that Python. Where there is no python3 at all it is installed, if
# packages.sh may.
python_info() {
    if [ "$1" = python3 ] && ! command -v python3 >/dev/null 2>&1; then
        scripts/packages.sh python3 python3-venv >&2 ||
            die "Or name a Python 3.8 or newer that is elsewhere: make ... PYTHON=/path/to/python3"
    fi
    "$1" scripts/python_info.py 2>/dev/null || die "$1 does not run." \
        "Install a Python 3.8 or newer (Debian, Ubuntu: apt install python3 python3-venv), or name one: make ... PYTHON=..."
}

# check_format fails if Go code is not formatted. It asks go list for the folders: a source archive has no git.
check_format() {
    # shellcheck disable=SC2046
    format_files=$(gofmt -l $(go list -f '{{.Dir}}' ./...) | sort -u) || return 1
    [ -z "$format_files" ] || {
        printf 'Not formatted (make fmt):\n%s\n' "$format_files" >&2
        return 1
    }
}

# link_environment FOLDER: makes .venv a link to a virtual environment, unless the user has an own directory there.
link_environment() {
    if [ ! -e .venv ] || [ -L .venv ]; then
        ln -sfn "$1" .venv
    fi
}
