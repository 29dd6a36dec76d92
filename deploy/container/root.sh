#!/usr/bin/env bash
# Lays out what is in the image: DIRECTORY/root, which belongs to root there, and DIRECTORY/state, which belongs to the user.
#
#   deploy/container/root.sh PROGRAM DIRECTORY
#
# AUTHORITIES=FILE names the roots of certificate authorities (PEM); this machine's, of the package ca-certificates, unless
# given. A company's own can be added to that file, or mounted and named by `ca_file`.
set -euo pipefail
program=$(realpath "$1") directory=$2
cd "$(dirname "$0")/../.."
authorities=${AUTHORITIES:-/etc/ssl/certs/ca-certificates.crt}
grep -q 'BEGIN CERTIFICATE' "$authorities" || { echo "$authorities has no certificates" >&2; exit 1; }
if [ "$(od -An -tx1 -N4 "$program" | tr -d ' ')" != 7f454c46 ]; then echo "$program is not a program" >&2; exit 1; fi

rm -rf "$directory"
root=$directory/root
install -d -m 0755 "$root" "$root/etc/cdsw-gateway" "$root/var/lib" "$directory/state"
install -d -m 0700 "$directory/state/cdsw-gateway"
install -D -m 0755 "$program" "$root/usr/local/bin/cdsw-gateway"
install -D -m 0644 "$authorities" "$root/etc/ssl/certs/ca-certificates.crt"
install -D -m 0644 LICENSE "$root/usr/share/doc/cdsw-gateway/LICENSE"
# Names for the number, for tools that look it up.
printf 'root:x:0:0::/:/nonexistent\ncdsw-gateway:x:65532:65532::/var/lib/cdsw-gateway:/nonexistent\n' >"$root/etc/passwd"
printf 'root:x:0:\ncdsw-gateway:x:65532:\n' >"$root/etc/group"
chmod 0644 "$root/etc/passwd" "$root/etc/group"
find "$root" -type d -exec chmod 0755 {} +
