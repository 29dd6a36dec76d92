#!/usr/bin/env bash
# What taking a delivery in costs, side by side with a bare axum handler that only checks the same
# HMAC. Builds, starts, warms, measures, and prints a table of medians and a table of targets.
#
#   benches/accept.sh [SECONDS] [PAIRS] [--full] [--only CASE[/STORE]]... [--json]
#
#   SECONDS      of each load, 1 to 4; 2 unless given
#   PAIRS        how often bare handler and case are loaded in turn; 5 unless given
#   --full       also a store with 1,000,000 kept deliveries and 100,000 waiting runs
#   --only CASE  only this case, on both stores or on the one that is named, such as
#                `one-run/sqlite`; may be given several times; `--list` names them all
#   --json       the same as one JSON object, with the figures of each round
#
# Needs wrk, Python 3, and for the PostgreSQL cases what tests/postgres.sh needs. About nine minutes
# without --full, apart from the build. Loopback only; bounded in time; ends what it started. The
# stores are in $TMPDIR or /tmp: that is the disk that is measured.
#
# GATEWAY and BARE may name programs that are built already. A missed target is printed and is no
# failure: the exit status is 0 unless something broke.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v wrk >/dev/null || { echo "needs wrk: apt-get install wrk" >&2; exit 2; }
command -v python3 >/dev/null || { echo "needs python3: apt-get install python3" >&2; exit 2; }
# -B: no compiled files beside the sources.
exec python3 -B benches/accept "$@"
