#!/usr/bin/env bash
# Tests of the documentation: its pages, its links, the commands that it shows, its site, and an upgrade from the
# version before. They need Python 3 and the built program, and take less than three minutes.
#
#   tests/docs/run.sh [PROGRAM]     PROGRAM: the gateway that is run, target/debug/cdsw-gateway unless given
#   UPDATE=1 tests/docs/run.sh      writes what the commands print today into the pages
set -euo pipefail
cd "$(dirname "$0")/../.."
GATEWAY=$(realpath "${1:-target/debug/cdsw-gateway}")
export GATEWAY PYTHONPATH=tests/docs PYTHONDONTWRITEBYTECODE=1
exec python3 -m unittest discover --start-directory tests/docs --pattern 'test_*.py' ${VERBOSE:+--verbose}
