#!/usr/bin/env bash
# Measures what an attack on a listener costs those who mean no harm: an honest load alone, and the same load
# beside 1,000 hostile connections of each kind, in turn. Prints a table (Markdown, as docs/performance.md has it) with
# the ratio of the two rates, in the median and in the worst round, how many honest deliveries were not accepted, the
# longest that an honest one of every hundred took, and the most memory.
#
#   benches/attack.sh [SECONDS] [ROUNDS] [--only KIND]... [--from one|many] [--admin]
#
#   SECONDS      of each load; 2 unless given
#   ROUNDS       how often the two loads are measured in turn; 3 unless given
#   --only KIND  one kind of connection; may be given several times; `--list` prints all
#   --from       `one` address, or `many`: an address for each connection; both unless given
#   --admin      attacks the admin listener, and probes it beside that
#
# Needs wrk and Python 3. Uses only loopback, is bounded in time, and ends every process that it started.
# GATEWAY and HOSTILE (benches/hostile.rs) may name programs that are already built.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v wrk >/dev/null || { echo "needs wrk: apt-get install wrk" >&2; exit 2; }
command -v python3 >/dev/null || { echo "needs python3: apt-get install python3" >&2; exit 2; }
# -B: no compiled files beside the sources.
exec python3 -B benches/attack "$@"
