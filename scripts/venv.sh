#!/bin/sh
# venv.sh PYTHON REQUIREMENTS: makes the virtual environment of that Python under .venvs, or brings it up to date,
# and prints the path of its interpreter. Quick when nothing has changed.
set -eu
. "$(dirname "$0")/lib.sh"

python=$1
requirements=$2

line=$(python_info "$python")
version=${line%% *}
missing=${line#* }
executable=${missing#* }
missing=${missing%% *}

# What the distribution's Python lacks are packages; another one has to be built differently.
packages=
case $missing in *venv*) packages="python3-venv" ;; esac
case $missing in *libpython*) packages="$packages libpython$version" ;; esac
if [ -n "$packages" ]; then
    case $executable in
    /usr/bin/*)
        # shellcheck disable=SC2086
        scripts/packages.sh $packages >&2 || exit 1
        ;;
    *)
        die "$executable lacks: $missing" \
            "pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install $version; or name another Python: make ... PYTHON=..."
        ;;
    esac
fi

folder=.venvs/$version
mkdir -p .venvs
# Two makes at a time must not build one environment.
if command -v flock >/dev/null 2>&1; then
    exec 9>".venvs/$version.lock"
    flock 9
fi

made_by=$("$executable" -c 'import sys; print(sys.version, sys.executable)')
if [ "$(cat "$folder/.made-by" 2>/dev/null)" != "$made_by" ]; then
    rm -rf "$folder"
    quietly "$executable" -m venv "$folder" >&2
    printf '%s\n' "$made_by" >"$folder/.made-by"
fi

install() {
    quietly "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >&2
}

# install_each: not every package can be had for a free-threaded Python. What cannot is named, and its tests are skipped.
install_each() {
    cat "$requirements" pyapps/*/requirements.txt | sed 's/ *#.*//; /^-/d; /^$/d' | sort -u >"$folder/.wanted"
    while read -r package; do
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$package" >"$folder/.log" 2>&1 </dev/null ||
            echo "      not for a free-threaded Python $version: $package" >&2
    done <"$folder/.wanted"
    rm -f "$folder/.wanted" "$folder/.log"
}

# The stamp is the requirements themselves, with the files that they include.
stamp=$folder/.installed-$(printf '%s' "$requirements" | tr '/' '-')
wanted=$(cat "$requirements" pyapps/*/requirements.txt)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    case $version in
    *t) install_each ;;
    *) install -r "$requirements" ;;
    esac
    printf '%s\n' "$wanted" >"$stamp"
fi

printf '%s\n' "$root/$folder/bin/python"
