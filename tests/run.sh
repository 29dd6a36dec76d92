#!/usr/bin/env bash
# Every check there is, in the order in which they find faults soonest. Installs what it needs and
# says what it installs. Works as root on a fresh Debian with Rust, and without root where the parts
# are there.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

# A part that the system's packages have: the command to look for, and the package that brings it.
need() {
  command -v "$1" >/dev/null && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    step "installing $2 with apt-get, for $1"
    [ -n "${apt_updated:-}" ] || { apt-get update -qq; apt_updated=1; }
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >/dev/null
  else
    echo "needs $1: install the package $2 and run this again" >&2
    exit 2
  fi
}

command -v cargo >/dev/null || { echo "needs Rust 1.89 or later: see https://rustup.rs" >&2; exit 2; }
need cc gcc
need npm npm
need python3 python3
python3 -c 'import ensurepip, venv' 2>/dev/null || need python3-venv python3-venv
need tar tar
tests/postgres.sh --install
need pgbouncer pgbouncer
for part in rustfmt clippy; do
  cargo "${part/rustfmt/fmt}" --version >/dev/null 2>&1 || {
    step "installing $part with rustup"
    rustup component add "$part"
  }
done
command -v cargo-deny >/dev/null || {
  step "installing cargo-deny with cargo (a few minutes, once)"
  cargo install --locked --quiet cargo-deny
}

# Real GitHub payloads (MIT): fetched, never committed.
examples=@octokit/webhooks-examples version=7.6.1
payloads=target/webhooks-examples-$version
if [ ! -f "$payloads/package/package.json" ]; then
  step "fetching $examples $version with npm, into target/"
  rm -rf "$payloads" && mkdir -p "$payloads"
  (cd "$payloads" && tar xzf "$(npm pack --silent "$examples@$version")")
fi
export WEBHOOKS_EXAMPLES=$PWD/$payloads/package

step "format"
cargo fmt --all --check
step "licences, bans, sources"
cargo deny --log-level error check licenses bans sources
step "clippy"
cargo clippy --locked --all-targets --quiet -- -D warnings
step "docs"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --quiet
step "tests"
# One server for all of them; it ends with this script, whose end it reads.
coproc POSTGRES { exec tests/postgres.sh; }
read -r ready TEST_POSTGRES _ <&"${POSTGRES[0]}"
[ "$ready" = ready ] || { echo "PostgreSQL did not start" >&2; exit 1; }
export TEST_POSTGRES
export SIMULATOR_LOGS=$PWD/target/simulator-logs
rm -rf "$SIMULATOR_LOGS" && mkdir -p "$SIMULATOR_LOGS"
cargo test --locked
step "every fault, under both policies"
cargo test --locked --quiet --test it outcomes::faults::every_fault_ends -- --nocapture
step "killed between any two steps of the path"
cargo test --locked --quiet --features failpoints --test fail_points -- --nocapture
step "a soak of a few seconds (tests/soak.sh alone takes five minutes)"
tests/soak.sh 8
step "requests signed by the senders' own packages"
tests/clients/run.sh "${CARGO_TARGET_DIR:-target}/debug/cdsw-gateway"
step "what the whole suite left in the simulators' logs"
requests=$(cat "$SIMULATOR_LOGS"/*.jsonl | wc -l)
[ "$requests" -gt 100 ] || { echo "only $requests requests were logged; are the logs gathered?" >&2; exit 1; }
if grep -hv '"reserved":\[\]' "$SIMULATOR_LOGS"/*.jsonl; then
  echo "these requests carry a reserved name" >&2; exit 1
fi
if grep -rl 'canary-' "$SIMULATOR_LOGS"; then echo "these logs hold a secret" >&2; exit 1; fi
echo "$requests requests, none with a reserved name, none with a secret"
step "the demo, as a newcomer runs it"
cargo run --locked --release --quiet -- demo --once
step "hostile input, as released"
cargo test --locked --release --test hostile
step "every check passed"
