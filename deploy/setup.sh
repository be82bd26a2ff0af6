#!/usr/bin/env bash
# Makes or refreshes .venv from a hashed lock, with the project in it. Does nothing when nothing changed.
#
#   deploy/setup.sh generate    what `simfactory generate` needs; needs no root
#   deploy/setup.sh train       the same, and what `simfactory-train` needs: the packages of the tests; needs no root
#   deploy/setup.sh test        the same, and what the tests and linters need: among it Chromium, from Debian's packages
#
# PYTHON chooses the interpreter (3.11 or 3.12); without it the first suitable one of python3, python3.12, python3.11.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

purpose=${1:?usage: deploy/setup.sh generate|train|test}
lock_name=${purpose/train/test}
lock=requirements/$lock_name.txt
[[ -f $lock ]] || { echo "setup: there is no lock $lock; choose generate, train or test" >&2; exit 2; }

is_supported() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1
}

choose_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.12 python3.11}; do
        if is_supported "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    local found
    found=$("${PYTHON:-python3}" -V 2>/dev/null) || found="no Python"
    echo "setup: '${PYTHON:-python3}' is $found, but simfactory needs Python 3.11 or 3.12:" \
        "install one, or say where it is: make setup PYTHON=/path/to/python3.12" >&2
    return 1
}

# A stamp holds a checksum of everything the environment was made from, its place included: scripts hold absolute paths.
key_of() {
    { pwd -P; .venv/bin/python -V; cat "requirements/$1.txt" pyproject.toml deploy/setup.sh; } 2>/dev/null | cksum
}

is_fresh() {
    [[ -x .venv/bin/simfactory && -f .venv/$1.stamp && "$(cat ".venv/$1.stamp")" == "$(key_of "$1")" ]]
}

# The dashboard's tests look at it in a real browser.
install_chromium() {
    command -v chromium >/dev/null && return
    local as_root=()
    [[ $(id -u) == 0 ]] || as_root=(sudo -n)
    echo "setup: installing Chromium, in which the tests look at the dashboard"
    { "${as_root[@]}" apt-get update -qq && DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq \
        --no-install-recommends chromium fonts-dejavu-core; } >/dev/null || {
        echo "setup: the tests need the command \`chromium\`: install it (Debian: apt-get install chromium)" >&2
        exit 1
    }
}

# A chosen interpreter counts only if it differs from the one the environment has.
has_chosen_python() {
    [[ -z ${PYTHON:-} ]] || [[ "$("$PYTHON" -V 2>&1)" == "$(.venv/bin/python -V 2>&1)" ]]
}

if [[ $purpose == test ]]; then
    install_chromium
fi

# The test lock contains the other one, so either stamp will do for generating.
if has_chosen_python && { is_fresh test || { [[ $lock_name == generate ]] && is_fresh generate; }; }; then
    exit 0
fi

if ! { [[ -x .venv/bin/python ]] && is_supported .venv/bin/python && has_chosen_python; }; then
    python=$(choose_python)
    echo "setup: making .venv with $("$python" -V) ($python)"
    "$python" -m venv --clear .venv || {
        echo "setup: '$python -m venv' failed; on Debian and Ubuntu it is in the package python3-venv," \
            "or name another Python: make setup PYTHON=/path/to/python3.12" >&2
        exit 1
    }
fi

rm -f .venv/*.stamp
pip=(.venv/bin/python -m pip --quiet --disable-pip-version-check --no-input)
echo "setup: installing $(grep -c '==' "$lock") locked packages into .venv"
if [[ $lock_name == test ]]; then
    "${pip[@]}" install torch==2.13.0 # as in pyproject.toml; first, for locked packages that ask for any torch
fi
"${pip[@]}" install --require-hashes --only-binary=:all: --requirement "$lock"
"${pip[@]}" install --no-deps --no-build-isolation --no-index --editable .
key_of "$lock_name" >".venv/$lock_name.stamp"
echo "setup: .venv is ready: .venv/bin/simfactory"
