#!/usr/bin/env bash
# A PostgreSQL primary and a standby that follows it, in one folder on this machine, and the failover
# between them: what an operator's own replication does, small enough to read and to try.
#
#   postgres_pair.sh up DIR [--async]  make both and start them; prints the URL for `ampacityd --store`
#   postgres_pair.sh url DIR           that URL again; its password is in DIR/password
#   postgres_pair.sh pause DIR         stop the standby: from then on it lags behind
#   postgres_pair.sh resume DIR        start it again
#   postgres_pair.sh fail DIR          stop the primary at once, as a crash would (pg_ctl -m immediate)
#   postgres_pair.sh promote DIR       the standby becomes the primary
#   postgres_pair.sh rejoin DIR        the old primary becomes the new one's standby
#   postgres_pair.sh down DIR          stop both and remove the folder
#
# Synchronous: a commit is acknowledged when the standby has written it too, so a failover loses
# nothing. With --async it is acknowledged before, and a failover may lose the latest.
set -uo pipefail

die() { echo "postgres_pair: $*" >&2; exit 1; }

[ "$#" -ge 2 ] || { sed -n '2,16s/^# \?//p' "$0"; exit 2; }
verb=$1 dir=$2 mode=${3:-}
bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[ -x "$bin/initdb" ] || { echo "PostgreSQL is not installed (Debian: postgresql)" >&2; exit 77; }

# The server refuses to run as root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then (cd / && setpriv --reuid postgres --regid postgres --init-groups "$@"); else "$@"; fi
}
free_ports() {
  /usr/bin/python3 -c 'import socket
s = [socket.socket() for _ in range(2)]
for x in s: x.bind(("127.0.0.1", 0))
print(*(x.getsockname()[1] for x in s))'
}
start() { as_postgres "$bin/pg_ctl" -D "$dir/$1" -l "$dir/$1.log" -w -t 30 start >/dev/null || die "$1 does not start: $(tail -n 3 "$dir/$1.log")"; }
sql() { PGPASSFILE=$dir/pass "$bin/psql" -h 127.0.0.1 -p "$1" -U ampacity -d postgres -Atq -v ON_ERROR_STOP=1 -c "$2"; }
port_of() { cat "$dir/$1.port"; }
url() { echo "postgres://ampacity@127.0.0.1:$(port_of a),127.0.0.1:$(port_of b)/ampacity"; }
is_up() { as_postgres "$bin/pg_ctl" -D "$dir/$1" status >/dev/null 2>&1; }
primary() {
  local node
  for node in a b; do
    is_up $node && [ ! -e "$dir/$node/standby.signal" ] && { echo $node; return; }
  done
  return 1
}

standby() { if [ -e "$dir/b/standby.signal" ]; then echo b; else echo a; fi; }

# settings NODE STANDBY: what differs between the two; STANDBY empty: no one confirms commits.
settings() {
  cat >"$dir/$1/ampacity.conf" <<TEXT
port = $(port_of "$1")
synchronous_standby_names = '${2:+ANY 1 ($2)}'
TEXT
  [ "$(id -u)" != 0 ] || chown postgres "$dir/$1/ampacity.conf"
}

# follow NODE LEADER: NODE is made anew from LEADER's data and follows it.
follow() {
  rm -rf "${dir:?}/$1"
  as_postgres env PGPASSFILE="$dir/pass" "$bin/pg_basebackup" -D "$dir/$1" -X stream -c fast -R -w \
    -d "host=127.0.0.1 port=$(port_of "$2") user=ampacity application_name=$1 passfile=$dir/pass" ||
    die "the copy of $2 failed"
  settings "$1" ''
  start "$1"
}

# Commits wait for the standby only once it is there.
confirm_by() {
  [ -e "$dir/async" ] && return
  settings "$1" "$2"
  as_postgres "$bin/pg_ctl" -D "$dir/$1" reload >/dev/null
  for _ in $(seq 300); do
    [ "$(sql "$(port_of "$1")" "SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')")" = 1 ] && return
    sleep 0.1
  done
  die "the standby $2 does not follow"
}

up() {
  [ ! -e "$dir" ] || die "$dir is there already"
  { mkdir -p "$dir" && chmod 0711 "$dir"; } || die "$dir cannot be made"
  dir=$(cd "$dir" && pwd)
  [ "$mode" != --async ] || touch "$dir/async"
  local ports
  read -r -a ports <<<"$(free_ports)"
  echo "${ports[0]}" >"$dir/a.port"
  echo "${ports[1]}" >"$dir/b.port"
  (umask 077 && head -c 24 /dev/urandom | base64 | tr -d '+/=' >"$dir/password" &&
    echo "127.0.0.1:*:*:ampacity:$(cat "$dir/password")" >"$dir/pass")
  [ "$(id -u)" != 0 ] || chown postgres "$dir" "$dir/password" "$dir/pass"
  as_postgres "$bin/initdb" -D "$dir/a" -U ampacity -A scram-sha-256 --pwfile="$dir/password" -E UTF8 \
    --locale=C.UTF-8 >"$dir/initdb.log" 2>&1 || die "initdb: $(tail -n 3 "$dir/initdb.log")"
  cat >>"$dir/a/postgresql.conf" <<TEXT
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_level = replica
max_connections = 120
shared_buffers = 64MB
include 'ampacity.conf'
TEXT
  settings a ''
  start a
  sql "$(port_of a)" 'CREATE DATABASE ampacity' || die "the database cannot be made"
  follow b a
  confirm_by a b
  url
}

case $verb in
  up) up ;;
  url) url ;;
  fail) as_postgres "$bin/pg_ctl" -D "$dir/$(primary)" -m immediate stop >/dev/null || die "no primary runs" ;;
  pause) as_postgres "$bin/pg_ctl" -D "$dir/$(standby)" -m fast stop >/dev/null || die "no standby runs" ;;
  resume) start "$(standby)" ;;
  promote) as_postgres "$bin/pg_ctl" -D "$dir/$(standby)" -w promote >/dev/null || die "no standby is promoted" ;;
  rejoin)
    new=$(primary) || die "no primary runs"
    old=$([ "$new" = a ] && echo b || echo a)
    as_postgres "$bin/pg_ctl" -D "$dir/$old" -m immediate stop >/dev/null 2>&1
    follow "$old" "$new"
    confirm_by "$new" "$old"
    ;;
  down)
    [ -e "$dir/a.port" ] || die "$dir is not such a folder"
    for node in a b; do as_postgres "$bin/pg_ctl" -D "$dir/$node" -m immediate stop >/dev/null 2>&1; done
    rm -rf "${dir:?}"
    ;;
  *) die "no verb '$verb'" ;;
esac
