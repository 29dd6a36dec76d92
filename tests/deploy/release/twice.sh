#!/usr/bin/env bash
# Makes a release from two clean clones of the last commit, in directories of different names, and compares all bytes.
#
#   tests/deploy/release/twice.sh [PROFILE]     `dist` unless given: twenty minutes on two cores
#
# On request, and no part of tests/run.sh, which packs one program twice. Needs what deploy/release.sh needs.
set -euo pipefail
cd "$(dirname "$0")/../../.."
profile=${1:-dist}
deploy/static.sh --tools
commit=$(git rev-parse HEAD)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for clone in "$work/first" "$work/a second directory"; do
  git clone --quiet --no-local . "$clone"
  # The same one, whatever is committed meanwhile.
  git -C "$clone" checkout --quiet "$commit"
  (cd "$clone" && deploy/release.sh --profile "$profile" >/dev/null)
  [ -z "$(git -C "$clone" status --porcelain)" ] || { git -C "$clone" status; exit 1; }
done
diff --recursive "$work/first/target/release-files" "$work/a second directory/target/release-files"
cat "$work/first/target/release-files/build.txt" "$work/first/target/release-files/SHA256SUMS"
echo "both are the same, byte for byte"
