#!/usr/bin/env bash
# script(1) 2.38.1 (Debian 12: bsdutils 1:2.38.1-5+deb12u3): with -e it returns its command's status, 137 for a killed one too, but
# after a TERM to script itself it is 0, whatever the command ended with.
#
# TERM is passed on: the command hears it, cleans up, ends with 42 or dies of it, and script exits with 0. The manual says of
# --return: "Return the exit status of the child process", and knows no exception. A `script -qec SERVER /dev/null`, the usual way
# to give a program a terminal in a container or a unit, says success for every stop, failed ones included.
#
# Seen:
#     the command ends with 42 by itself: status 42
#     TERM to script, the command hears TERM and ends with 42: status 0
#     TERM to script, the command dies of it: status 0
#
# Needs: Debian 12. Exits with 1 if any of this has changed.
set -euo pipefail

[ "$(dpkg-query -W -f '${Version}' bsdutils)" = 1:2.38.1-5+deb12u3 ] ||
    { echo "needs bsdutils 1:2.38.1-5+deb12u3" >&2; exit 1; }

work=$(mktemp -d)
pid=
# shellcheck disable=SC2317
clean_up() {
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
cd "$work"

wait_until() {
    local end=$((SECONDS + 30))
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "waited in vain: $*" >&2; exit 1; }
        sleep 0.05
    done
}
# shellcheck disable=SC2317
says_ready() { grep -q ready output; }
# stopped COMMAND: the status of script after a TERM.
stopped() {
    rm -f heard
    : >output
    script -qec "$1" /dev/null </dev/null >output 2>&1 &
    pid=$!
    wait_until says_ready
    kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    pid=
}

own=0
script -qec 'exit 42' /dev/null </dev/null >/dev/null || own=$?
echo "by itself: status $own"
stopped 'trap "echo TERM >heard; exit 42" TERM; echo ready; while :; do sleep 0.1; done'
handled=$status
echo "TERM, heard and ended with 42: status $handled"
[ "$(cat heard)" = TERM ]
stopped 'echo ready; exec sleep 60'
echo "TERM, died of it: status $status"
[ "$own $handled $status" = "42 0 0" ]
