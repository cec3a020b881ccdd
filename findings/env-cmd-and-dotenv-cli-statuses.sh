#!/usr/bin/env bash
# env-cmd 10.1.0 and dotenv-cli 8.0.0 (npm), which start a command with the variables of a file: how the command ended is told
# otherwise than by other launchers.
#
# env-cmd gives 130 for a command that isn't there, and for one that can't be executed: what a shell says of ^C, where others say
# 127 and 126. A policy that takes 130 for a stop by the user never hears that the image lacks its server. A command that died of
# PIPE is a 0.
# dotenv-cli sends itself the signal that its command died of, but it catches INT, TERM and HUP itself, and PIPE is ignored in Node:
# of those four the status is 0, of KILL, QUIT and SEGV it is right. A server that dies of a HUP for which it has no handler, or of
# the TERM of a stop, was a success.
#
# Seen, status by what the command died of:
#                 INT  TERM  HUP  PIPE  QUIT  SEGV  KILL   not there   not executable
#     env-cmd     130  143   129  0     131   139   137    130         130
#     dotenv      0    0     0    0     131   139   137    1           1
#
# Needs: Node with npm. Exits with 1 if any of this has changed.
set -euo pipefail

command -v npm >/dev/null || { echo "needs Node with npm" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
ulimit -c 0

echo 'A=1' >.env
echo 'no program' >text
npm install --silent --no-save --ignore-scripts env-cmd@10.1.0 dotenv-cli@8.0.0 >/dev/null

seen=
ends() {
    status=0
    timeout --foreground -s KILL 60 "$@" </dev/null >/dev/null 2>&1 || status=$?
    seen="$seen $status"
}
all() {
    seen=
    for signal in INT TERM HUP PIPE QUIT SEGV KILL; do
        ends "$@" sh -c "kill -$signal \$\$"
    done
    ends "$@" nowhere-to-be-found
    ends "$@" ./text
    echo "$1:$seen"
}
all node_modules/.bin/env-cmd
[ "$seen" = " 130 143 129 0 131 139 137 130 130" ]
all node_modules/.bin/dotenv --
[ "$seen" = " 0 0 0 0 131 139 137 1 1" ]
