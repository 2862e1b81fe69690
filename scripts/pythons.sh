#!/bin/sh
# Prints the Pythons that the tests run on, one "MAJOR.MINOR EXECUTABLE" a line, the default one first.
#
# The default is $PYTHON (python3). The others are those of $PYTHONS, names or paths; unset, the ones of 3.8, 3.11,
# 3.12 and 3.13 that the PATH or pyenv have, and a free-threaded one of the PATH or of make python-nogil.
set -eu
. "$(dirname "$0")/lib.sh"

# info NAME: its line from python_info.py, or nothing. A pyenv shim may exist and yet not run.
info() {
    command -v "$1" >/dev/null 2>&1 && "$1" scripts/python_info.py 2>/dev/null
}

# show LINE: prints its version and executable if pyhost can run on it.
show() {
    version=${1%% *}
    missing=${1#* }
    executable=${missing#* }
    case ${missing%% *} in
    *libpython*) echo "Not tested: $executable, for want of a shared libpython" >&2 ;;
    *) printf '%s %s\n' "$version" "$executable" ;;
    esac
}

default=$(python_info "${PYTHON:-python3}")
# scripts/venv.sh installs or asks for what the default one lacks.
printf '%s %s\n' "${default%% *}" "${default#* * }"

if [ -n "${PYTHONS:-}" ]; then
    for name in $PYTHONS; do
        line=$(info "$name") || die "$name of PYTHONS does not run."
        [ "${line%% *}" = "${default%% *}" ] || show "$line"
    done
    exit
fi

for wanted in 3.8 3.11 3.12 3.13; do
    [ "$wanted" != "${default%% *}" ] || continue
    for name in "python$wanted" "${HOME:-}/.pyenv/versions/$wanted".*/bin/"python$wanted"; do
        if line=$(info "$name"); then
            show "$line"
            continue 2
        fi
    done
    echo "Not tested: $wanted, which is not on this machine" >&2
done

for name in python3.14t python3.13t .pythons/*/bin/python3; do
    if line=$(info "$name") && [ "${line%% *}" != "${default%% *}" ]; then
        case ${line%% *} in *t) show "$line"; exit ;; esac
    fi
done
echo "Not tested: a free-threaded Python, which is not on this machine (make python-nogil builds one)" >&2
