#!/usr/bin/env bash
# honcho 2.0.0 (PyPI): `honcho start` ends with 256 less the signal, `honcho run` with 128 and the signal.
#
# A process of a Procfile that was killed has Python's return code, -9, and `honcho start` hands that to exit(2): 247. SEGV is 245,
# TERM 241. Tables that know 128+N (an engine's, an alert's, a retry policy's) take these for codes of the program itself; nothing
# in 247 says 137. Where honcho itself is stopped by TERM its status is 143. `honcho run` of the same command gives 137.
#
# Seen:
#             KILL  SEGV  TERM  exit 7
#     start   247   245   241   7
#     run     137   139   143   7
#
# Needs: Python 3.8 or later with venv. Exits with 1 if any of this has changed.
set -euo pipefail

command -v python3 >/dev/null || { echo "needs Python" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
ulimit -c 0
python3 -m venv env
env/bin/pip --quiet --disable-pip-version-check install honcho==2.0.0

seen=
ends() {
    status=0
    timeout --foreground -s KILL 60 env/bin/honcho "$@" </dev/null >/dev/null 2>&1 || status=$?
    seen="$seen $status"
}
# shellcheck disable=SC2016
for how in 'kill -KILL $$' 'kill -SEGV $$' 'kill -TERM $$' 'exit 7'; do
    echo "server: $how" >Procfile
    ends start
    ends run sh -c "$how"
done
echo "start and run, of KILL, SEGV, TERM, exit 7:$seen"
[ "$seen" = " 247 137 245 139 241 143 7 7" ]
