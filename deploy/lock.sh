#!/usr/bin/env bash
# Writes requirements/*.txt from pyproject.toml: exact versions and hashes, for Python 3.11 and 3.12, naming no index.
# Options are passed on to uv: `deploy/lock.sh --upgrade` moves every version forward, otherwise the locked ones stay.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/python" -m pip --quiet --disable-pip-version-check install 'uv>=0.9'

# Without torch and what it brings: see pyproject.toml.
echo "torch; sys_platform == 'none'" >"$tools/overrides.txt"

compile() {
    "$tools/bin/uv" pip compile --quiet pyproject.toml --group build --python-version 3.11 --universal \
        --fork-strategy fewest --annotation-style line --generate-hashes --no-strip-extras --override "$tools/overrides.txt" --no-emit-package simfactory --no-emit-package pip --no-emit-package torch \
        --no-emit-package setuptools --custom-compile-command "make lock" "$@"
}

# The smaller lock takes its versions from the larger one: one environment serves both.
compile --extra test --output-file requirements/test.txt "$@"
compile --extra all --constraint requirements/test.txt --output-file requirements/generate.txt
