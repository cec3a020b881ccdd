#!/usr/bin/env bash
# su and runuser of util-linux 2.38.1 (Debian 12: util-linux 2.38.1-5+deb12u3): a command below them gets TERM, and KILL two
# seconds later, whatever the grace period above them is. HUP and USR1 never reach it.
#
# Both wait for their command with all signals blocked but TERM and ALRM. A HUP that is meant as a
# reload, and a USR1 that is meant to rotate logs, stay pending in su and are lost with it: neither the command gets them nor does
# su die of them. TERM is passed on; then su sleeps two seconds, says "...killed." and sends KILL. The status is that of a death by
# TERM (143), be the command killed or ended with a status of its own. It holds for `runuser -u USER -- COMMAND` too, the form that
# starts no shell and looks like a plain change of the user. A `docker stop -t 60`, TimeoutStopSec= or a wrapper's grace period
# above is of no use: setpriv(1), which execs, is what to use there.
#
# Seen, for `su nobody -s /bin/sh -c`, `runuser nobody -s /bin/sh -c` and `runuser -u nobody -- sh -c`:
#     HUP and USR1: pending in the launcher, the command has heard nothing
#     TERM, to a command that needs longer: it heard TERM and was killed; status 143, "...killed."
#     TERM, to a command that ends with 42: status 143
#
# Needs: Debian 12 with its su and runuser, root. Exits with 1 if any of this has changed.
set -euo pipefail

[ "$(id -u)" = 0 ] || { echo "needs root" >&2; exit 1; }
[ "$(dpkg-query -W -f '${Version}' util-linux)" = 2.38.1-5+deb12u3 ] ||
    { echo "needs util-linux 2.38.1-5+deb12u3" >&2; exit 1; }

work=$(mktemp -d)
pid=
# shellcheck disable=SC2317
clean_up() {
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
    [ ! -s "$work/pid" ] || kill -KILL "$(cat "$work/pid")" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
chmod 777 "$work"
cd "$work"

wait_until() {
    local end=$((SECONDS + 30))
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "waited in vain: $*" >&2; exit 1; }
        sleep 0.05
    done
}
# bit FIELD SIGNAL_NUMBER: of the launcher.
bit() { echo $(((0x$(sed -n "s/^$1:\t*//p" "/proc/$pid/status") >> ($2 - 1)) & 1)); }
# It blocks HUP and takes TERM only after it has forked.
# shellcheck disable=SC2317
waits() { [ "$(bit SigBlk 1)$(bit SigBlk 15)$(bit SigCgt 15)" = 101 ]; }
# It may be a zombie until PID 1 has reaped it.
# shellcheck disable=SC2317
gone() { ! grep -qs '^State:.[^Z]' "/proc/$(cat pid)/status"; }

cat >commands <<'X'
trap 'echo HUP >>heard' HUP
trap 'echo USR1 >>heard' USR1
trap 'echo TERM >>heard; [ ! -e quick ] || exit 42' TERM
echo $$ >pid.new
mv pid.new pid
while :; do sleep 0.1; done
X

# started LAUNCHER...: the launcher is $pid, its command is ready.
started() {
    rm -f pid heard
    : >heard
    chmod 666 heard
    "$@" "cd $work && . ./commands" >said 2>&1 &
    pid=$!
    wait_until test -s pid
    wait_until waits
}
# stopped: the status.
stopped() {
    kill -TERM "$pid"
    status=0
    wait "$pid" 2>/dev/null || status=$?
    pid=
    wait_until gone
}

for launcher in "su nobody -s /bin/sh -c" "runuser nobody -s /bin/sh -c" "runuser -u nobody -- sh -c"; do
    rm -f quick
    # shellcheck disable=SC2086
    started $launcher
    kill -HUP "$pid"
    kill -USR1 "$pid"
    [ "$(bit ShdPnd 1)$(bit ShdPnd 10)" = 11 ]
    stopped
    slow=$status
    [ "$(tr '\n' ' ' <heard)" = "TERM " ]
    grep -q '\.\.\.killed\.' said
    : >quick
    # shellcheck disable=SC2086
    started $launcher
    stopped
    echo "$launcher: HUP, USR1 pending; TERM then KILL: $slow; TERM and exit 42: $status"
    [ "$slow $status" = "143 143" ]
    [ "$(cat heard)" = TERM ]
done
