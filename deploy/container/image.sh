#!/usr/bin/env bash
# Makes the image from a program that is built already, with buildah and without any registry. The same commit, program and
# authorities give the same bytes.
#
#   deploy/container/image.sh PROGRAM ARCHIVE [NAME]
#
#   PROGRAM   the static program, such as target/x86_64-unknown-linux-musl/dist/cdsw-gateway
#   ARCHIVE   the file that is written; `docker load`, `podman load` and `skopeo copy docker-archive:ARCHIVE` take it
#   NAME      its name in there, cdsw-gateway:VERSION unless given
#
# AUTHORITIES=FILE: see root.sh. Needs buildah, python3, and root or what buildah needs to run
# without.
set -euo pipefail
program=$(realpath "$1") archive=$(realpath -m "$2")
cd "$(dirname "$0")/../.."
command -v buildah >/dev/null || { echo "needs buildah: install the package buildah" >&2; exit 77; }
epoch=$(deploy/static.sh --epoch)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
revision=${REVISION:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}
name=${3:-cdsw-gateway:$version}
case $(deploy/static.sh --target) in
  x86_64-*) architecture=amd64 ;;
  aarch64-*) architecture=arm64 ;;
  *) echo "no image is made for $(deploy/static.sh --target)" >&2; exit 2 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Storage of its own: what is on this machine already is neither used nor touched.
own() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }
deploy/container/root.sh "$program" "$work/image"
authorities=$(sha256sum "$work/image/root/etc/ssl/certs/ca-certificates.crt" | cut -d' ' -f1)
sed -n '/^FROM scratch/,$p' deploy/container/Containerfile | sed 's#^\(COPY .*\)--from=build #\1#' >"$work/Containerfile"
grep -q '^COPY /image/root /$' "$work/Containerfile" || { echo "the Containerfile has changed, and $0 has not" >&2; exit 1; }
# The format of Docker, since OCI's has no HEALTHCHECK. No label that names the builder's version.
own bud --quiet --isolation chroot --format docker --no-cache --layers=false --identity-label=false \
  --timestamp "$epoch" --arch "$architecture" --file "$work/Containerfile" --tag "localhost/$name" \
  --build-arg VERSION="$version" --build-arg REVISION="$revision" --build-arg AUTHORITIES="$authorities" \
  --build-arg CREATED="$(date --utc --date "@$epoch" +%Y-%m-%dT%H:%M:%SZ)" "$work" >/dev/null
own push --quiet "localhost/$name" "docker-archive:$work/archive.tar"
python3 -B deploy/container/archive.py "$work/archive.tar" "$archive" "$name"
echo "$archive: $name, $(( $(stat -c %s "$archive") / 1048576 )) MiB"
