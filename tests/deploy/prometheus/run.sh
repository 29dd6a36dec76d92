#!/usr/bin/env bash
# The dashboard and the alerts: the file of the dashboard is the one that its generator makes, and every alert fires and
# resolves as it must.
#
# Needs python3, and promtool (Debian's package `prometheus`); ends with 77 where one is missing. Opens no connection.
set -euo pipefail
cd "$(dirname "$0")"
for needed in python3 promtool; do
  command -v "$needed" >/dev/null || { echo "needs $needed" >&2; exit 77; }
done
deploy=../../../deploy
python3 -B "$deploy/grafana/dashboard.py" | cmp - "$deploy/grafana/cdsw-gateway.json" || {
  echo "run deploy/grafana/dashboard.py > deploy/grafana/cdsw-gateway.json" >&2
  exit 1
}
exec python3 -B rules.py
