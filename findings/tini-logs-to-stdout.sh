#!/usr/bin/env bash
# tini 0.19.0 (Debian 12: tini 0.19.0-1+b3): with -v, what it logs is on stdout, among what the command writes; only warnings and
# errors are on stderr.
#
# So `result=$(tini -v -- command)` has tini's lines in it, a pipeline behind it reads them, and in an image whose stdout is
# structured (JSON, for a collector), TINI_VERBOSITY=2 breaks that. `tini -h` says "Generate more verbose output", and not where.
#
# Seen:
#     tini -s -v -- echo text: stdout has `text` and two lines that begin with [INFO; stderr is empty
#     tini -s -w -- (a command that orphans a process): stdout has the command's text, stderr a line that begins with [WARN
#
# Needs: Debian 12. Exits with 1 if any of this has changed.
set -euo pipefail

[ "$(dpkg-query -W -f '${Version}' tini)" = 0.19.0-1+b3 ] || { echo "needs tini 0.19.0-1+b3" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

tini -s -v -- echo text >out 2>err
echo "-v: $(grep -c '^\[INFO' out) lines of log on stdout, $(grep -c . err || true) on stderr"
[ "$(grep -c '^\[INFO' out)" = 2 ]
[ "$(grep -cx text out)" = 1 ]
[ ! -s err ]

# The inner shell leaves a process to tini; the fifo tells when that has ended.
mkfifo ended
tini -s -w -- sh -c '(sh -c "exec 3>ended; exec sleep 0.2" &); read -r _ <ended; sleep 0.2; echo text' >out 2>err
echo "-w: $(grep -c . out) line on stdout, $(grep -c '^\[WARN' err) warning on stderr"
[ "$(cat out)" = text ]
[ "$(grep -c '^\[WARN' err)" -ge 1 ]
