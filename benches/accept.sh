#!/usr/bin/env bash
# Measures what accepting a delivery costs, beside a bare axum handler that only checks the same HMAC.
# Builds, starts, warms up, measures, and prints a table of medians and a table of targets.
#
#   benches/accept.sh [SECONDS] [PAIRS] [--full] [--only CASE[/STORE]]... [--json]
#
#   SECONDS      of each load, 1 to 4; 2 unless given
#   PAIRS        how often the bare handler and the case are loaded in turn; 5 unless given
#   --full       also measures a store with 1,000,000 kept deliveries and 100,000 waiting runs
#   --only CASE  measures only this case, on both stores or on the given one, such as
#                `one-run/sqlite`; may be given several times; `--list` prints all cases
#   --json       prints one JSON object instead of tables, with the figures of each round
#
# Needs wrk, Python 3, and for the PostgreSQL cases what tests/postgres.sh needs. Takes about nine minutes
# without --full, apart from the build. Uses only loopback, is bounded in time, and ends every process that
# it started. The stores are in $TMPDIR or /tmp: that is the disk that is measured.
#
# GATEWAY and BARE may name programs that are already built. A missed target is printed and is not a
# failure: the exit status is 0 unless something broke.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v wrk >/dev/null || { echo "needs wrk: apt-get install wrk" >&2; exit 2; }
command -v python3 >/dev/null || { echo "needs python3: apt-get install python3" >&2; exit 2; }
# -B: no compiled files beside the sources.
exec python3 -B benches/accept "$@"
