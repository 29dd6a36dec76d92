#!/usr/bin/env bash
# A PostgreSQL of one's own, for tests: in a temporary directory, on a free loopback port, gone when
# standard input ends.
#
#   tests/postgres.sh            prints `ready URL` once it is up, and waits for the end of its input
#   tests/postgres.sh --install  only sees that it is there, and installs it where it can; ends with 77 where it cannot
#
# Its superuser is `tests`, without a password, over loopback alone. Root may not run it, so that it
# runs as `postgres` then.
set -euo pipefail

# Debian keeps the programs of each version apart.
programs() {
  local directory
  directory=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
  if [ -x "$directory/initdb" ]; then echo "$directory"; return; fi
  command -v initdb >/dev/null && dirname "$(command -v initdb)"
}
if ! bin=$(programs); then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing postgresql with apt-get" >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql; } >&2 || exit 77
    bin=$(programs)
  else
    echo "needs PostgreSQL: install the package postgresql and run this again" >&2
    exit 77
  fi
fi
[ "${1:-}" != --install ] || exit 0

as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
place=$(as mktemp -d "${TMPDIR:-/tmp}/gateway-postgres.XXXXXX")
finish() {
  as "$bin/pg_ctl" -D "$place/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$place"
}
trap finish EXIT

as "$bin/initdb" -D "$place/data" -U tests --auth=trust --encoding=UTF8 --locale=C --no-sync >"$place/log" 2>&1 \
  || { cat "$place/log" >&2; exit 1; }
# A port that is free now may be taken by the time that the server listens: then another is tried.
for _ in 1 2 3 4 5; do
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  # In its file, so that it is the same server when it is started again.
  as tee "$place/data/postgresql.auto.conf" >/dev/null <<CONF
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = '$place'
max_connections = 400
shared_buffers = 256MB
max_wal_size = 4GB
autovacuum_naptime = 5s
${POSTGRES_SETTINGS:-}
CONF
  if as "$bin/pg_ctl" -D "$place/data" -l "$place/server.log" -w start >/dev/null 2>&1; then
    echo "ready postgres://tests@127.0.0.1:$port/postgres $bin $place"
    cat >/dev/null
    exit 0
  fi
done
cat "$place/server.log" >&2
exit 1
