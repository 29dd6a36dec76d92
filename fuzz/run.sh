#!/usr/bin/env bash
# Runs every fuzz target for a while, one after the other, and says how many inputs each was given.
# Outside of tests/run.sh, which drives the same targets over their corpus (tests/it/fuzz.rs).
#
#   fuzz/run.sh [SECONDS_A_TARGET] [TARGET...]
#
# Needs a nightly toolchain and installs cargo-fuzz where it is missing (half a minute). The corpus
# is seeded from the tests' data and grows in fuzz/corpus/; what fails is left in fuzz/artifacts/.
# Once mended, it belongs into fuzz/found/TARGET/, which every later run and tests/it/fuzz.rs try.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
shift || true

rustc +nightly --version >/dev/null 2>&1 || { echo "needs a nightly toolchain: rustup toolchain install nightly" >&2; exit 2; }
command -v cargo-fuzz >/dev/null || { echo "installing cargo-fuzz with cargo" >&2; cargo install --locked --quiet cargo-fuzz; }

# The gateway's own code has no unsafe parts (it is forbidden), so what is looked for is panics,
# forged proof, time and memory; without the address sanitizer three times as many inputs are tried.
sanitizer=${SANITIZER:-none}
build=(+nightly fuzz build --fuzz-dir . --sanitizer "$sanitizer")
run=(+nightly fuzz run --fuzz-dir . --sanitizer "$sanitizer")

echo "building" >&2
cargo "${build[@]}" >&2
(cd .. && FUZZ_CORPUS=$PWD/fuzz/corpus cargo test --quiet --test it fuzz::the_corpus_is_written -- --ignored >/dev/null)
if [ $# = 0 ]; then
  for file in fuzz_targets/*.rs; do set -- "$@" "$(basename "$file" .rs)"; done
fi

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
failed=0
printf '%-20s %12s %10s %8s %8s\n' target inputs per_second corpus peak_mb
for target in "$@"; do
  verdict=
  TMPDIR=$logs cargo "${run[@]}" "$target" -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -malloc_limit_mb=512 -max_len=65536 -print_final_stats=1 >"$logs/$target" 2>&1 || { verdict=FAILED; failed=1; }
  stat() { sed -n "s/^stat::$1: *//p" "$logs/$target"; }
  corpus=$(find "corpus/$target" -type f | wc -l)
  printf '%-20s %12s %10s %8s %8s %s\n' "$target" "$(stat number_of_executed_units)" \
    "$(stat average_exec_per_sec)" "$corpus" "$(stat peak_rss_mb)" "$verdict"
  [ -z "$verdict" ] || grep -aE -A1 'panicked at|^==.*ERROR|Test unit written' "$logs/$target" >&2
done
exit "$failed"
