#!/usr/bin/env bash
# Makes a release of the working tree and tries it: the image run by buildah, the Debian package installed in a Debian of its
# own, the documented way of a Debian machine behind nginx, the files against each other.
#
#   tests/deploy/release/run.sh [PROGRAM]     PROGRAM: what deploy/static.sh has built with the profile `release`;
#                                             it is built here unless given
#   tests/deploy/release/run.sh --install     only sees that the parts are there, and installs them where it can
#   TESTS=test_image.Image tests/deploy/release/run.sh …     only these tests
#
# Needs root, for namespaces; ends with 77 where a part is missing. All of it happens in a network of its own.
set -euo pipefail
cd "$(dirname "$0")/../../.."
missing=()
for part in musl-gcc:musl-tools buildah:buildah mmdebstrap:mmdebstrap openssl:openssl man:man-db systemd-analyze:systemd \
  ip:iproute2 unshare:util-linux dpkg-deb:dpkg; do
  command -v "${part%:*}" >/dev/null || missing+=("${part#*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "needs ${missing[*]}" >&2; exit 77; }
  echo "installing ${missing[*]} with apt-get" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || exit 77
fi
deploy/static.sh --tools || exit 77
tests/deploy/tools.sh

# A Debian with nginx, as small as it gets; made once.
debian=$PWD/target/deploy-tools/debian-bookworm-1.tar
if [ ! -f "$debian" ]; then
  echo "making a Debian with mmdebstrap, into target/ (half a minute, once)" >&2
  mmdebstrap --quiet --variant=minbase --format=tar --include=systemd-standalone-sysusers,nginx-light,openssl,ca-certificates \
    --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$debian.part" || { rm -f "$debian.part"; exit 77; }
  mv "$debian.part" "$debian"
fi
[ "${1:-}" != --install ] || exit 0
[ "$(id -u)" = 0 ] || { echo "needs root: containers and a Debian are run in namespaces" >&2; exit 77; }

export DEBIAN=$debian PYTHONDONTWRITEBYTECODE=1
export RELEASE=$PWD/target/release-files AGAIN=$PWD/target/release-files-again
make() { deploy/release.sh --profile release ${1:+--program "$1"} >/dev/null; }
make "${1:-}"
rm -rf "$AGAIN" && cp -r "$RELEASE" "$AGAIN"
make "${1:-target/$(deploy/static.sh --target)/release/cdsw-gateway}"
cd tests/deploy/release
# Whatever a test leaves running ends with its namespace.
exec unshare --net --mount --pid --fork --kill-child --mount-proc sh -c 'ip link set lo up && exec "$@"' sh \
  ../../../target/deploy-tools/venv/bin/python -m unittest ${TESTS:-discover} ${VERBOSE:+--verbose}
