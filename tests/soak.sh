#!/usr/bin/env bash
# A real gateway under load while everything goes wrong at random: the workbench has every fault that
# it can have, the gateway is killed with SIGKILL and started again, its clock is stepped. At the end
# what the load was told, the store and the workbench's log are held against each other.
#
#   tests/soak.sh [SECONDS] [SEED]
#   tests/soak.sh --install   only sees that its parts are there, and installs them where it can
#
# A seed repeats its choices. Installs wrk and libfaketime where they are missing, and ends with 77 where
# it cannot; stays on loopback.
set -euo pipefail
cd "$(dirname "$0")/.."
export SOAK_SECONDS=${1:-300} SOAK_SEED=${2:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}

faketime() { find /usr/lib /usr/local/lib -name libfaketime.so.1 2>/dev/null | head -1; }
missing=()
command -v wrk >/dev/null || missing+=(wrk)
[ -n "$(faketime)" ] || missing+=(libfaketime)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing ${missing[*]} with apt-get"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null || exit 77
  else
    echo "needs ${missing[*]}: install the packages and run this again" >&2
    exit 77
  fi
fi
[ "${1:-}" != --install ] || exit 0
LIBFAKETIME=$(faketime)
export LIBFAKETIME
exec cargo test --locked --quiet --test soak -- --ignored --nocapture
