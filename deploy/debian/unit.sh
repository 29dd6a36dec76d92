#!/usr/bin/env bash
# Prints the unit of the package, made from deploy/systemd/cdsw-gateway.service so that there is one sandbox. It differs in
# what a package brings: the program in /usr/bin, a user of its own that may read /etc/cdsw-gateway/secrets, and so no
# credentials of systemd, which are copies that take a restart to change.
set -euo pipefail
cd "$(dirname "$0")/../.."
unit=deploy/systemd/cdsw-gateway.service
for line in 'DynamicUser=yes' 'LoadCredential=secrets:/etc/cdsw-gateway/secrets' '^ExecStart=/usr/local/bin/cdsw-gateway ' \
  '^Documentation=' '^\[Unit\]$'; do
  grep -q "$line" "$unit" || { echo "$unit has no $line: this script is out of date" >&2; exit 1; }
done
cat <<'HEAD'
# Runs the gateway as one process. It reads /etc/cdsw-gateway/gateway.yaml and /etc/cdsw-gateway/routes.d, and secrets in
# /etc/cdsw-gateway/secrets, and notices when they change. Settings of your own go beside this file:
#   systemctl edit cdsw-gateway

HEAD
sed -n '/^\[Unit\]$/,$p' "$unit" | sed \
  -e 's#^Documentation=.*#Documentation=man:cdsw-gateway(1) file:///usr/share/doc/cdsw-gateway/operations.md#' \
  -e 's#^ExecStart=/usr/local/bin/#ExecStart=/usr/bin/#' \
  -e 's#^DynamicUser=yes$#User=cdsw-gateway\nGroup=cdsw-gateway\nRemoveIPC=yes#' \
  -e '/^LoadCredential=/d'
