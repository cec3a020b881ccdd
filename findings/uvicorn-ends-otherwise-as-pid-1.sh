#!/usr/bin/env bash
# uvicorn 0.54.0 (PyPI) and signal-exit 4.1.0 (npm): the same clean stop ends otherwise as PID 1, since a signal sent to oneself is
# nothing there.
#
# After a clean shutdown uvicorn sends itself the TERM that stopped it, with the default action. As PID 1 the kernel drops that, and
# uvicorn falls through to exit 0. Below any init it is a death by TERM: 143. A container that "Completed" shows "Error" from the day
# an init is put in front of it. signal-exit, which many npm packages use, does the same for Node programs: it runs the
# cleanups and sends the signal again. As PID 1 nothing comes after that: the cleanups have run, and the program lives on, half
# closed, until KILL.
#
# Seen:
#     uvicorn: as PID 1, TERM: 0; below a shell, TERM: 143
#     signal-exit: as PID 1, TERM: cleanup ran, and it lives; below a shell, TERM: cleanup ran, 143
#
# Needs: Linux with user namespaces for unshare(1), Node with npm, Python 3.11 with venv. Exits with 1 if any of this has changed.
set -euo pipefail

command -v npm >/dev/null || { echo "needs Node with npm" >&2; exit 1; }
python3 -c 'import ensurepip, venv' || { echo "needs Python 3 with venv" >&2; exit 1; }
unshare -rpf --mount-proc true || { echo "needs unshare -rpf" >&2; exit 1; }
work=$(mktemp -d)
space=
# shellcheck disable=SC2317
clean_up() {
    [ -z "$space" ] || kill -KILL "$space" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check uvicorn==0.54.0
npm install --silent --no-save --ignore-scripts --prefix . signal-exit@4.1.0 >/dev/null

cat >app.py <<'X'
async def app(scope, receive, send):
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
X
# The signal is sent again at once after the cleanup: a timer that still goes off a second later shows that it had no effect.
cat >program.mjs <<'X'
import { onExit } from "signal-exit";
onExit((code, signal) => { console.log(`cleanup ${signal}`); setInterval(() => console.log("lives"), 1000); });
setInterval(() => {}, 1000);
console.log("ready");
X
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

# It is PID 1 in the first case, and a child of PID 1 in the second: that one prints the status.
cat >alone <<'X'
exec "$@"
X
cat >below <<'X'
trap 'kill -TERM "$child"' TERM
"$@" &
child=$!
wait "$child"
while kill -0 "$child" 2>/dev/null; do wait "$child"; done
wait "$child"
exit $?
X
wait_until() {
    local end=$((SECONDS + 60))
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "waited in vain: $*" >&2; cat output >&2; exit 1; }
        sleep 0.05
    done
}
# The init of the namespace, seen from here, is unshare's only child.
started() {
    local how=$1
    shift
    : >output
    unshare -rpf --kill-child --mount-proc bash "$how" "$@" </dev/null >output 2>&1 &
    space=$!
    wait_until grep -qE "ready|Uvicorn running" output
    init=$(cat "/proc/$space/task/$space/children")
    init=${init% }
}
ended() {
    status=0
    wait "$space" 2>/dev/null || status=$?
    space=
}

uvicorn=(venv/bin/uvicorn app:app --port "$port")
started alone "${uvicorn[@]}"
kill -TERM "$init"
ended
alone=$status
grep -q "Application shutdown complete" output
started below "${uvicorn[@]}"
kill -TERM "$init"
ended
grep -q "Application shutdown complete" output
echo "uvicorn: as PID 1 $alone, below a shell $status"
[ "$alone $status" = "0 143" ]

started alone node program.mjs
kill -TERM "$init"
wait_until grep -q "^lives" output
grep -q "^cleanup SIGTERM" output
kill -0 "$init"
echo "signal-exit: as PID 1 the cleanup ran, and it lives"
kill -KILL "$init"
ended
started below node program.mjs
kill -TERM "$init"
ended
grep -q "^cleanup SIGTERM" output
[ "$(grep -c "^lives" output)" = 0 ]
echo "signal-exit: below a shell the cleanup ran, $status"
[ "$status" = 143 ]
