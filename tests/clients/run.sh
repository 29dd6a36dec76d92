#!/usr/bin/env bash
# Senders' own packages sign requests that a running gateway accepts, and refuses once changed.
#
#   tests/clients/run.sh [PROGRAM]
#
# Installs the packages, pinned, into target/clients/ (from PyPI and npm, once); then everything
# stays on loopback. Needs python3 with venv, and npm; ends with 77 where the packages are not to be had.
set -euo pipefail
program=$(realpath "${1:-$(dirname "$0")/../../target/debug/cdsw-gateway}")
cd "$(dirname "$0")"
place=$(realpath -m ../../target/clients)

# Installed again when what is pinned changes.
fresh() { # $1: what is installed, $2...: the files that pin it
  local stamp=$place/$1.pinned; shift
  sha256sum "$@" | cmp -s - "$stamp"
}
unavailable() { echo "the senders' own packages cannot be installed here" >&2; exit 77; }
pinned() { local stamp=$place/$1.pinned; shift; sha256sum "$@" >"$stamp"; }

mkdir -p "$place"
if ! fresh python requirements.txt; then
  echo "installing the Python packages of tests/clients/requirements.txt"
  rm -rf "$place/python"
  python3 -m venv "$place/python" || unavailable
  "$place/python/bin/pip" install --quiet --disable-pip-version-check --requirement requirements.txt || unavailable
  pinned python requirements.txt
fi
if ! fresh npm package.json package-lock.json; then
  echo "installing the npm packages of tests/clients/package.json"
  mkdir -p "$place/npm"
  cp package.json package-lock.json "$place/npm/"
  npm ci --prefix "$place/npm" --silent --ignore-scripts --no-audit --no-fund || unavailable
  pinned npm package.json package-lock.json
fi
cp github.mjs "$place/npm/"
exec "$place/python/bin/python" -B main.py "$program" "$place/npm/github.mjs"
