#!/usr/bin/env bash
# Every check there is, in the order in which they find faults soonest. Installs what it needs and
# says what it installs. Works as root on a fresh Debian with Rust, and without root where the parts
# are there. Fails where anything was skipped for want of a part, and lists it;
#
#   ALLOW_SKIPPED=1 tests/run.sh
#
# goes on without the parts that are missing, and lists at its end what was skipped.
#   OLDER_GATEWAY=PROGRAM tests/run.sh
# also runs the test beside that older build of the program.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

# Tests and steps that could not run here, a line each: tests/common/skip.rs writes it, too.
export SKIPPED_TESTS_LOG=$PWD/target/skipped-tests.log
mkdir -p target && : >"$SKIPPED_TESTS_LOG"
skipped() { echo "SKIPPED $*" >&2; echo "$*" >>"$SKIPPED_TESTS_LOG"; }

# Runs a script that ends with 77 where a part is missing, as automake has it.
part() { # $1: what it is, $2...: the script
  local what=$1 status=0; shift
  "$@" || status=$?
  [ "$status" != 77 ] || { skipped "$what: what it needs is missing, see above"; status=0; }
  return "$status"
}

# A part that the system's packages have: the command to look for, and the package that brings it.
need() {
  command -v "$1" >/dev/null && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    step "installing $2 with apt-get, for $1"
    [ -n "${apt_updated:-}" ] || { apt-get update -qq && apt_updated=1; }
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >/dev/null && return
  fi
  echo "needs $1: install the package $2 and run this again" >&2
  return 1
}

# Nothing can be checked without these.
command -v cargo >/dev/null || { echo "needs Rust 1.89 or later: see https://rustup.rs" >&2; exit 2; }
need cc gcc || exit 2
need python3 python3 || exit 2
need tar tar || exit 2
for component in rustfmt clippy; do
  cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || {
    step "installing $component with rustup"
    rustup component add "$component"
  }
done

# Without these, some tests or steps are skipped.
missing=()
allowed() {
  [ ${#missing[@]} = 0 ] || [ "${ALLOW_SKIPPED:-}" = 1 ] || {
    echo "these parts are missing: ${missing[*]}; ALLOW_SKIPPED=1 goes on without them" >&2
    exit 1
  }
}
need npm npm || missing+=(npm)
python3 -c 'import ensurepip, venv' 2>/dev/null || need python3-venv python3-venv || missing+=(python3-venv)
tests/postgres.sh --install || missing+=(PostgreSQL)
need pgbouncer pgbouncer || missing+=(pgbouncer)
need nginx nginx || missing+=(nginx)
need haproxy haproxy || missing+=(haproxy)
need promtool prometheus || missing+=(promtool)
need nft nftables || missing+=(nftables)
need ip iproute2 || missing+=(iproute2)
tests/soak.sh --install || missing+=("what the soak needs")
tests/deploy/release/run.sh --install || missing+=("what a release needs")

# Real GitHub payloads (MIT): fetched, never committed.
examples=@octokit/webhooks-examples version=7.6.1
payloads=target/webhooks-examples-$version
fetch() { (cd "$payloads" && packed=$(npm pack --silent "$examples@$version") && tar xzf "$packed"); }
if [ ! -f "$payloads/package/package.json" ]; then
  step "fetching $examples $version with npm, into target/"
  rm -rf "$payloads" && mkdir -p "$payloads"
  fetch || missing+=("$examples")
fi
export WEBHOOKS_EXAMPLES=$PWD/$payloads/package
allowed
command -v cargo-deny >/dev/null || {
  step "installing cargo-deny with cargo (a few minutes, once)"
  cargo install --locked --quiet cargo-deny || missing+=(cargo-deny)
}
allowed

step "format"
cargo fmt --all --check
step "licences, bans, sources"
if command -v cargo-deny >/dev/null; then
  cargo deny --log-level error check licenses bans sources
else
  skipped "licences, bans, sources: cargo-deny"
fi
step "clippy"
cargo clippy --locked --all-targets --quiet -- -D warnings
step "docs"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --quiet
step "tests"
if [[ " ${missing[*]} " != *" PostgreSQL "* ]]; then
  # One server for all of them; it ends with this script, whose end it reads.
  coproc POSTGRES { exec tests/postgres.sh; }
  read -r ready TEST_POSTGRES _ <&"${POSTGRES[0]}"
  [ "$ready" = ready ] || { echo "PostgreSQL did not start" >&2; exit 1; }
  export TEST_POSTGRES
fi
export SIMULATOR_LOGS=$PWD/target/simulator-logs
rm -rf "$SIMULATOR_LOGS" && mkdir -p "$SIMULATOR_LOGS"
# Of the stores against each other and a model; more where somebody asks for more.
export MODEL_SEQUENCES=${MODEL_SEQUENCES:-2000}
cargo test --locked
step "every fault, under both policies"
cargo test --locked --quiet --test it outcomes::faults::every_fault_ends -- --nocapture
step "killed between any two steps of the path"
cargo test --locked --quiet --features failpoints --test fail_points -- --nocapture
if [ -n "${OLDER_GATEWAY:-}" ]; then
  step "beside an older program, $OLDER_GATEWAY"
  cargo test --locked --quiet --test it replicas::rolling::an_older -- --ignored --nocapture
fi
step "a soak of a few seconds (tests/soak.sh alone takes five minutes)"
part "the soak" tests/soak.sh 8
step "requests signed by the senders' own packages"
part "the senders' own packages" tests/clients/run.sh "${CARGO_TARGET_DIR:-target}/debug/cdsw-gateway"
step "the chart and the manifests"
part "the chart and the manifests" tests/deploy/run.sh "${CARGO_TARGET_DIR:-$PWD/target}/debug/cdsw-gateway"
step "the documentation: its pages, the commands that it shows, its site, an upgrade"
part "the documentation" tests/docs/run.sh "${CARGO_TARGET_DIR:-$PWD/target}/debug/cdsw-gateway"
step "the dashboard and the alerts"
part "the dashboard and the alerts" tests/deploy/prometheus/run.sh
step "what the whole suite left in the simulators' logs"
requests=$(cat "$SIMULATOR_LOGS"/*.jsonl | wc -l)
[ "$requests" -gt 100 ] || { echo "only $requests requests were logged; are the logs gathered?" >&2; exit 1; }
if grep -hv '"reserved":\[\]' "$SIMULATOR_LOGS"/*.jsonl; then
  echo "these requests carry a reserved name" >&2; exit 1
fi
if grep -rl 'canary-' "$SIMULATOR_LOGS"; then echo "these logs hold a secret" >&2; exit 1; fi
echo "$requests requests, none with a reserved name, none with a secret"
# The static program, since that is what is shipped. One build for these three: the features of the tests' dependencies make
# the gateway another build, and a release build takes minutes.
if [[ " ${missing[*]} " != *" what a release needs "* ]]; then
  step "hostile input, as released"
  deploy/static.sh test --locked --release --test hostile
  program=${CARGO_TARGET_DIR:-target}/$(deploy/static.sh --target)/release/cdsw-gateway
  step "the demo, as released"
  "$program" demo --once
  step "the image, the Debian package and the other files of a release"
  part "the files of a release" tests/deploy/release/run.sh "$program"
else
  skipped "hostile input and the demo as released, the files of a release: what a release needs is missing"
fi
if [ -s "$SKIPPED_TESTS_LOG" ]; then
  step "SKIPPED, $(wc -l <"$SKIPPED_TESTS_LOG") in all, each with what is missing"
  sort "$SKIPPED_TESTS_LOG"
  [ "${ALLOW_SKIPPED:-}" = 1 ] || { echo "so not every check has run; ALLOW_SKIPPED=1 accepts that" >&2; exit 1; }
  step "every check that could run passed"
else
  step "every check passed"
fi
[ -n "${OLDER_GATEWAY:-}" ] || echo "On request, and not run: the test beside an older program (OLDER_GATEWAY=PROGRAM)."
