#!/usr/bin/env bash
# pexpect 4.9.0 (PyPI) and node-pty 1.1.0 (npm: @lydell/node-pty): a command that was killed is None and 0.
#
# pexpect.run(..., withexitstatus=True) returns the pair (output, status), and the status of a killed command is None; nothing in
# the pair has the signal. `sys.exit(status)`, the natural next line, makes 0 of it. node-pty's exit event has { exitCode: 0,
# signal: 9 }: a program that looks at exitCode alone, or passes it to process.exit, says success. subprocess and Node's own
# child_process don't: they give -9, and a code of null, which can't be mistaken so easily.
#
# Seen, for a command that was killed by KILL:
#     pexpect.run: status None; sys.exit(status): 0
#     node-pty: exitCode 0, signal 9
#
# Needs: amd64 Linux with glibc, Node with npm, Python 3 with venv. Exits with 1 if any of this has changed.
set -euo pipefail

command -v npm >/dev/null || { echo "needs Node with npm" >&2; exit 1; }
python3 -c 'import ensurepip, venv' || { echo "needs Python 3 with venv" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pexpect==4.9.0
npm install --silent --no-save --ignore-scripts --prefix . @lydell/node-pty@1.1.0 >/dev/null

# shellcheck disable=SC2016
echo 'kill -KILL $$' >killed
cat >run.py <<'X'
import pexpect, sys
_, status = pexpect.run("sh killed", withexitstatus=True)
print(f"pexpect.run: status {status}")
sys.exit(status)
X
cat >run.mjs <<'X'
import pty from "@lydell/node-pty";
pty.spawn("sh", ["killed"], {}).onExit(({ exitCode, signal }) => console.log(`node-pty: exitCode ${exitCode}, signal ${signal}`));
X
status=0
timeout -s KILL 60 venv/bin/python run.py >seen || status=$?
echo "sys.exit(status): $status" >>seen
timeout -s KILL 60 node run.mjs >>seen
cat seen
[ "$(cat seen)" = "pexpect.run: status None
sys.exit(status): 0
node-pty: exitCode 0, signal 9" ]
