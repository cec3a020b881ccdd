#!/usr/bin/env bash
# tinyproxy 1.11.1 (Debian 12: tinyproxy-bin 1.11.1-2.1+deb12u1): the signal that reloads it in the background kills it in
# the foreground.
#
# Started as a daemon it catches HUP, and reads its configuration again. With -d, which keeps it in the foreground (its
# systemd unit and containers start it so), it doesn't set that handler: HUP is left at its default, and the same
# `kill -HUP` ends it with 129, without a word. USR1 reloads in both. The man page has no reload by HUP at all: "Force
# Tinyproxy to do a garbage collection on the current connections linked list. (Daemon mode only)". With a logrotate
# script that sends HUP, a tinyproxy that was moved from a daemon to a wrapper or a container is gone at the first rotation.
#
# Seen:
#     background: HUP caught yes; after HUP: lives, it says "Reloading config file"
#     foreground: HUP caught no; after USR1: lives, it says "Reloading config file"
#     foreground: after HUP: ended with 129
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
chmod 755 "$work"
cd "$work"

package='tinyproxy-bin=1.11.1-2.1+deb12u1'
apt-get download -q "$package" >/dev/null 2>&1 || { apt-get update -q >/dev/null && apt-get download -q "$package" >/dev/null; }
dpkg-deb -x tinyproxy-bin_*.deb root
tinyproxy=$work/root/usr/bin/tinyproxy
"$tinyproxy" -v

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# The file of error pages that it would read by default isn't there.
printf '%s\n' "Port $port" "Listen 127.0.0.1" "MaxClients 10" "Timeout 60" "LogLevel Notice" "PidFile \"$work/pid\"" \
    "LogFile \"$work/log\"" >config

wait_until() {
    local end=$((SECONDS + 30))
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "waited in vain: $*" >&2; exit 1; }
        sleep 0.05
    done
}
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }
# HUP is the first bit.
catches_hup() { [ $((0x$(sed -n 's/^SigCgt:\t*//p' "/proc/$pid/status") & 1)) = 1 ] && echo yes || echo no; }
# In the background it writes to its log, in the foreground to stdout.
reloaded() { grep -qs "Reloading config file$" log output; }

"$tinyproxy" -c config
wait_until test -s pid
wait_until listens
pid=$(cat pid)
background=$(catches_hup)
kill -HUP "$pid"
wait_until reloaded
kill -0 "$pid"
echo "background: HUP caught $background; after HUP: lives, it says \"Reloading config file\""
kill -KILL "$pid"
# shellcheck disable=SC2317
gone() { ! listens; }
wait_until gone
rm -f log pid

"$tinyproxy" -d -c config >output 2>&1 &
pid=$!
wait_until listens
foreground=$(catches_hup)
kill -USR1 "$pid"
wait_until reloaded
kill -0 "$pid"
echo "foreground: HUP caught $foreground; after USR1: lives, it says \"Reloading config file\""
kill -HUP "$pid"
lines=$(wc -l <output)
status=0
wait "$pid" 2>/dev/null || status=$?
pid=
echo "foreground: after HUP: ended with $status"
[ "$background $foreground $status" = "yes no 129" ]
[ "$(wc -l <output)" = "$lines" ]
