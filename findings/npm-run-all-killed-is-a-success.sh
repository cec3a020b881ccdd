#!/usr/bin/env bash
# npm-run-all 4.1.5, npm-run-all2 8.0.4 and foreman 3.0.1 (npm): a command that was killed gives status 0.
#
# `run-p`, `run-s` and `npm-run-all` start each script by `npm run`. npm ends by the signal that its script died of, and npm-run-all
# takes an end without a code for a 0. A server that the OOM killer ended is a success, and with run-s the next script is started.
# A code is a failure as it should be, though always 1. Its successor npm-run-all2 has that mended: 1. foreman's `nf start` gives
# 0 for a code too.
#
# Seen:
#                   KILL  exit 7
#     npm-run-all   0     1       (and run-s starts the next script after the KILL)
#     npm-run-all2  1     1
#     nf            0     0
#
# Needs: Node with npm. Exits with 1 if any of this has changed.
set -euo pipefail

command -v npm >/dev/null || { echo "needs Node with npm" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >package.json <<'X'
{
  "private": true,
  "scripts": { "killed": "kill -KILL $$", "seven": "exit 7", "next": "echo started >next" }
}
X
echo 'server: kill -KILL $$' >Procfile.killed
echo 'server: exit 7' >Procfile.seven
# Two of them have a command of the same name.
npm install --silent --no-save --ignore-scripts --prefix one npm-run-all@4.1.5 foreman@3.0.1 >/dev/null
npm install --silent --no-save --ignore-scripts --prefix two npm-run-all2@8.0.4 >/dev/null

seen=
ends() {
    local name=$1
    shift
    status=0
    timeout -s KILL 60 "$@" </dev/null >/dev/null 2>&1 || status=$?
    echo "$name: $status"
    seen="$seen $status"
}
ends "npm-run-all, KILL" one/node_modules/.bin/run-s killed next
[ "$(cat next)" = started ]
ends "npm-run-all, exit 7" one/node_modules/.bin/run-s seven
rm next
ends "npm-run-all2, KILL" two/node_modules/.bin/run-s killed next
[ ! -e next ]
echo "npm-run-all2 doesn't start the next one"
ends "npm-run-all2, exit 7" two/node_modules/.bin/run-s seven
ends "nf, KILL" one/node_modules/.bin/nf -j Procfile.killed start
ends "nf, exit 7" one/node_modules/.bin/nf -j Procfile.seven start
[ "$seen" = " 0 1 1 1 0 0" ]
