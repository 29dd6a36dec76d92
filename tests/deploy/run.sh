#!/usr/bin/env bash
# Tests of the chart and of the plain manifests, and of pods' processes as they describe them.
#
#   tests/deploy/run.sh [PROGRAM]     PROGRAM: the gateway that is run, target/debug/cdsw-gateway unless given
#
# UPDATE=1 writes the goldens, the chart's README and deploy/kubernetes again. Ends with 77 where a part is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/deploy/tools.sh
export GATEWAY=${1:-$PWD/target/debug/cdsw-gateway}
export PYTHONPATH=tests/deploy PYTHONDONTWRITEBYTECODE=1
[ "${UPDATE:-}" != 1 ] || UPDATE=1 target/deploy-tools/venv/bin/python -c 'import written'
exec target/deploy-tools/venv/bin/python -m unittest discover \
  --start-directory tests/deploy --pattern 'test_*.py' ${VERBOSE:+--verbose}
