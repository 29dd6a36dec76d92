#!/usr/bin/env bash
# Makes every file of a release, in target/release-files: tarball, Debian package, image, chart, lists of components (SBOM)
# and checksums. The same commit gives the same bytes, with the same compiler, musl-tools and ca-certificates, which
# `build.txt` names.
#
#   deploy/release.sh [--profile PROFILE] [--program FILE]
#
#   --profile   cargo's profile; `dist` unless given, which takes about ten minutes on two cores
#   --program   a program that deploy/static.sh has built already
#
# TARGET=… builds for another kind of machine (see deploy/static.sh); it must be one whose programs run here.
# Needs Rust by rustup, git, python3, musl-tools, buildah, ca-certificates and dpkg: ends with 77 where one is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=dist program=
while [ $# -gt 0 ]; do
  case $1 in
    --profile) profile=$2; shift 2 ;;
    --program) program=$2; shift 2 ;;
    *) echo "what is $1? see $0" >&2; exit 2 ;;
  esac
done
for part in cargo:rustup git:git python3:python3 musl-gcc:musl-tools buildah:buildah dpkg-deb:dpkg; do
  command -v "${part%:*}" >/dev/null || { echo "needs ${part%:*}: install ${part#*:}" >&2; exit 77; }
done
umask 022
export LC_ALL=C TZ=UTC
SOURCE_DATE_EPOCH=$(deploy/static.sh --epoch)
export SOURCE_DATE_EPOCH
target=$(deploy/static.sh --target)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
case $target in
  x86_64-*) architecture=amd64 ;;
  aarch64-*) architecture=arm64 ;;
  *) echo "no release is made for $target" >&2; exit 2 ;;
esac
files=target/release-files package=target/package
deploy/static.sh --tools
PATH=$(deploy/static.sh --path):$PATH
export PATH

step() { echo "== $*" >&2; }
# A tar archive that depends on names, modes and content alone.
pack() { # $1: the archive, $2...: tar's arguments
  local archive=$1; shift
  tar --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$SOURCE_DATE_EPOCH" \
    --create "$@" | gzip -n >"$archive"
}

if [ -z "$program" ]; then
  step "the program, for $target with the profile $profile"
  deploy/static.sh build --locked --profile "$profile" --bin cdsw-gateway
  program=${CARGO_TARGET_DIR:-target}/$target/$profile/cdsw-gateway
fi
rm -rf "$files" "$package"
mkdir -p "$files" "$package"/{man,completions,systemd}

step "manual pages, completions, the unit"
"$program" man "$package/man" >/dev/null
"$program" completions bash >"$package/completions/cdsw-gateway"
"$program" completions zsh >"$package/completions/_cdsw-gateway"
"$program" completions fish >"$package/completions/cdsw-gateway.fish"
deploy/debian/unit.sh >"$package/systemd/cdsw-gateway.service"

step "the list of components"
# It is written beside Cargo.toml, under this name.
trap 'rm -f .components.json' EXIT
cargo cyclonedx --quiet --format json --spec-version 1.5 --target "$target" \
  --override-filename .components
list=$files/cdsw-gateway-$version-$target.cdx.json
python3 -B deploy/sbom.py program .components.json "$version" "$SOURCE_DATE_EPOCH" >"$list"
rm -f .components.json
cp "$list" "$package/cdsw-gateway.cdx.json"

step "the tarball"
name=cdsw-gateway-$version-$target stage=$package/$name
mkdir -p "$stage"
git ls-files -z -- config deploy docs README.md CHANGELOG.md LICENSE |
  tar --create --null --files-from=- | tar --extract --directory "$stage"
install -m 0755 "$program" "$stage/cdsw-gateway"
cp -r "$package/man" "$package/completions" "$stage/"
pack "$files/$name.tar.gz" --directory "$package" "$name"
rm -rf "$stage"

step "the Debian package"
# cargo-deb looks for the program where cargo would put it.
built=$package/cargo
mkdir -p "$built/$target/$profile"
install -m 0755 "$program" "$built/$target/$profile/cdsw-gateway"
CARGO_TARGET_DIR=$PWD/$built cargo deb --quiet --locked --no-build --no-strip --target "$target" --profile "$profile" \
  --output "$files/" >&2
rm -rf "$built"

step "the image"
deploy/container/image.sh "$program" "$files/cdsw-gateway-$version-$architecture.image.tar" >&2
python3 -B deploy/sbom.py image "$list" "$files/cdsw-gateway-$version-$architecture.image.tar" \
  >"$files/cdsw-gateway-$version-$architecture.image.cdx.json"
gzip -n "$files/cdsw-gateway-$version-$architecture.image.tar"

step "the chart"
chart=$(sed -n 's/^version: //p' deploy/helm/cdsw-gateway/Chart.yaml)
git ls-files -z -- deploy/helm/cdsw-gateway | sed -z 's#^deploy/helm/##' |
  pack "$files/cdsw-gateway-chart-$chart.tgz" --directory deploy/helm --null --no-recursion --files-from=-

step "what it was built with, and checksums"
{
  echo "commit: $(git rev-parse HEAD)$([ -z "$(git status --porcelain)" ] || echo ", with changes that are not committed")"
  echo "profile: $profile"
  rustc --version --verbose | sed -n 's/^/rustc: /; 1p; /^rustc: \(commit-hash\|LLVM\)/p' | sort -u
  musl-gcc --version | sed -n '1s/^/musl-gcc: /p'
  echo "authorities: sha256 $(sha256sum "${AUTHORITIES:-/etc/ssl/certs/ca-certificates.crt}" | cut -d' ' -f1)"
} >"$files/build.txt"
(cd "$files" && sha256sum -- * >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS)
step "made $(find "$files" -type f | wc -l) files in $files"
cat "$files/SHA256SUMS"
