#!/usr/bin/env bash
# Accepted deliveries per second, end to end, side by side with a bare handler that only checks the
# same HMAC. Both are loaded in turn, several times, and the ratio of the medians is what counts.
#
#   benches/accept.sh [SECONDS_A_RUN] [PAIRS] [CONNECTIONS]
#
# Loopback only; bounded in time; ends what it started.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-5} pairs=${2:-5} connections=${3:-64}
command -v wrk >/dev/null || { echo "needs wrk: apt-get install wrk" >&2; exit 2; }

echo "building" >&2
cargo build --release --quiet --bin cdsw-gateway
cargo build --release --quiet --example bare_handler
bare=target/release/examples/bare_handler

work=$(mktemp -d)
pids=()
# shellcheck disable=SC2317
finish() {
  for pid in "${pids[@]}"; do
    kill -CONT "$pid" 2>/dev/null || true
    kill "$pid" 2>/dev/null || true
  done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT

secret=a-secret-for-measuring-only
export GITHUB_WEBHOOK_SECRET=$secret WORKBENCH_KEY=a-key-for-measuring-only ADMIN_TOKEN=a-token-for-measuring
export PUSH_BODY=$PWD/benches/push.json
PUSH_SIGNATURE="sha256=$(openssl dgst -sha256 -hmac "$secret" -r "$PUSH_BODY" | cut -d' ' -f1)"
export PUSH_SIGNATURE

"$bare" "$secret" >"$work/bare" & pids+=($!)
target/release/cdsw-gateway simulate --listen 127.0.0.1:0 --key-env WORKBENCH_KEY \
  --job alice/risk-analysis/208 --json >"$work/simulator" 2>/dev/null & pids+=($!)
until [ -s "$work/bare" ] && grep -q '"api"' "$work/simulator"; do kill -0 "${pids[@]}"; read -rt 0.05 <> <(:) || true; done
workbench=$(grep -o 'http://[0-9.:]*' "$work/simulator" | head -1)

# Not in a subshell: what it starts must be known to `finish`.
gateway() { # $1: a name, $2: the branch that the route asks for
  mkdir -p "$work/$1"
  sed -e "s|WORKBENCH_URL|$workbench|" -e "s|BRANCH|$2|" benches/gateway.yaml >"$work/$1/gateway.yaml"
  target/release/cdsw-gateway serve --config "$work/$1/gateway.yaml" --log-format json --log warn,cdsw_gateway::ready=info \
    --print-addresses >"$work/$1/out" 2>"$work/$1/err" & started=$!
  pids+=("$started")
  until grep -q '^hooks ' "$work/$1/out"; do kill -0 "$started" || { cat "$work/$1/err" >&2; exit 1; }; read -rt 0.05 <> <(:) || true; done
}
gateway matched main; matched_pid=$started
gateway unmatched never; unmatched_pid=$started
matched=$(sed -n 's/^hooks //p' "$work/matched/out")
unmatched=$(sed -n 's/^hooks //p' "$work/unmatched/out")

# What is not measured stands still, so that one gateway's backlog of starts costs no other case.
load() { # $1: address, $2: the process that works meanwhile; prints the RESULT line's numbers
  kill -STOP "$matched_pid" "$unmatched_pid"
  [ -z "$2" ] || kill -CONT "$2"
  PUSH_SEED=$RANDOM$RANDOM wrk -t2 -c"$connections" -d"${seconds}s" -s benches/push.lua "http://$1" \
    | sed -n 's/^RESULT //p'
}
echo "warming" >&2
load "$(cat "$work/bare")" "" >/dev/null
load "$matched" "$matched_pid" >/dev/null
load "$unmatched" "$unmatched_pid" >/dev/null
for pair in $(seq "$pairs"); do
  echo "pair $pair of $pairs" >&2
  {
    echo "bare $(load "$(cat "$work/bare")" "")"
    echo "one-run $(load "$matched" "$matched_pid")"
    echo "unmatched $(load "$unmatched" "$unmatched_pid")"
  } >>"$work/results"
done
python3 - "$work/results" <<'PY'
import statistics, sys
rows = {}
for line in open(sys.argv[1]):
    name, rate, count, p50, p99, bad = line.split()
    rows.setdefault(name, []).append((float(rate), float(p50), float(p99), int(bad)))
bare = [row[0] for row in rows["bare"]]
print(f"{'case':<12} {'per second':>10} {'ratio':>6} {'p50 ms':>8} {'p99 ms':>8} {'errors':>7}")
for name, runs in rows.items():
    ratio = statistics.median(r[0] / b for r, b in zip(runs, bare))
    med = [statistics.median(column) for column in zip(*runs)]
    print(f"{name:<12} {med[0]:>10.0f} {ratio:>6.2f} {med[1]:>8.2f} {med[2]:>8.2f} {sum(r[3] for r in runs):>7}")
PY
