#!/usr/bin/env bash
# PgBouncer 1.18.0 (Debian 12: pgbouncer 1.18.0-1+deb12u1): the plain stop signal ends it with status 1, idle as it is.
#
# TERM is logged as "got SIGTERM, fast exit", the pid file is removed, nothing is wrong, and the status is 1: no 0, and no
# 143 either, so that nothing tells such a stop from a bad configuration, which is status 1 too. INT ("shutting down") ends
# it with 0. The manual has TERM as "Immediate shutdown. Same as issuing SHUTDOWN on the console", and says nothing of a
# status. Init systems, containers and wrappers stop it by TERM, and see a failure at each stop; a rule that
# takes 0 and 128+15 for a stop that was asked for doesn't fit; and on-failure restarts it unless the stop itself ends
# the restarting.
#
# Seen:
#     TERM: status 1, log says "got SIGTERM, fast exit", pid file removed
#     INT: status 0
#     a file that isn't there: status 1
#
# Needs: amd64 Debian 12, apt-get. Exits with 1 if any of this has changed.
set -euo pipefail

work=$(mktemp -d)
pid=
# shellcheck disable=SC2317
clean_up() {
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
cd "$work"

packages=(pgbouncer=1.18.0-1+deb12u1 libevent-2.1-7=2.1.12-stable-8 libc-ares2)
apt-get download -q "${packages[@]}" >/dev/null 2>&1 ||
    { apt-get update -q >/dev/null && apt-get download -q "${packages[@]}" >/dev/null; }
for package in *.deb; do dpkg-deb -x "$package" root; done
export LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu
pgbouncer=("$work/root/usr/sbin/pgbouncer")
# It refuses to run as root.
mkdir -m 777 run
chmod 755 .
[ "$(id -u)" != 0 ] || pgbouncer=(setpriv --reuid 65534 --regid 65534 --clear-groups "${pgbouncer[@]}")
"${pgbouncer[@]}" --version | head -n 1

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf '%s\n' "[databases]" "[pgbouncer]" "listen_addr = 127.0.0.1" "listen_port = $port" "unix_socket_dir =" \
    "auth_type = any" "pidfile = $work/run/pid" >config

wait_until() {
    local end=$((SECONDS + 30))
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "waited in vain: $*" >&2; exit 1; }
        sleep 0.05
    done
}

# stopped_by SIGNAL: its status.
stopped_by() {
    "${pgbouncer[@]}" config >log 2>&1 &
    pid=$!
    wait_until grep -q "process up" log
    wait_until test -s run/pid
    kill "-$1" "$pid"
    status=0
    wait "$pid" || status=$?
    pid=
}

stopped_by TERM
term=$status
grep -q "got SIGTERM, fast exit" log
[ ! -e run/pid ]
echo "TERM: status $term, log says \"got SIGTERM, fast exit\", pid file removed"
stopped_by INT
echo "INT: status $status"
int=$status
none=0
"${pgbouncer[@]}" nothing >log 2>&1 || none=$?
echo "a file that isn't there: status $none"
[ "$term $int $none" = "1 0 1" ]
