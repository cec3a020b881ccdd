#!/usr/bin/env bash
# python-daemon 3.1.2 (PyPI): whether it goes to the background depends on its parent being PID 1, and a stop by TERM is status 1.
#
# DaemonContext, with nothing said, doesn't detach if its parent is PID 1 ("already started by init"). In a container that means: as
# PID 1 itself it detaches, its first process ends with 0, and the kernel ends the whole container with the daemon that has just
# started; as the child of an init that is PID 1 it stays in the foreground; with a shell in between it detaches again and leaves
# the wrapper an orphan to follow. TERM makes it exit with 1, "Terminating on signal 15" on its stderr: a failure at each stop.
#
# Seen:
#     as PID 1: status 0, the body has not run to its end
#     child of PID 1: in the foreground; TERM: status 1
#     grandchild of PID 1: the parent sees 0, the body runs in another process
#
# Needs: Linux with user namespaces for unshare(1), Python 3 with venv. Exits with 1 if any of this has changed.
set -euo pipefail

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
venv/bin/pip install -q --disable-pip-version-check python-daemon==3.1.2

# It says where it is, and waits for the file "go" in the body.
cat >program.py <<'X'
import daemon, os, sys, time

first = os.getpid()
log = open("log", "a", buffering=1)
with daemon.DaemonContext(stdout=log, stderr=log, working_directory=os.getcwd()):
    print("foreground" if os.getpid() == first else "background", flush=True)
    end = time.monotonic() + 60
    while not os.path.exists("go") and time.monotonic() < end:
        time.sleep(0.02)
    print("finished", flush=True)
X
wait_until() {
    local end=$((SECONDS + 60))
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "waited in vain: $*" >&2; exit 1; }
        sleep 0.05
    done
}
inside() { unshare -rpf --kill-child --mount-proc "$@" </dev/null; }

: >log
status=0
inside venv/bin/python program.py || status=$?
echo "as PID 1: status $status"
[ "$status" = 0 ]
[ "$(grep -c finished log)" = 0 ]

: >log
# shellcheck disable=SC2016
inside bash -c 'venv/bin/python program.py & child=$!
    until grep -q ground log; do sleep 0.05; done
    kill -TERM $child; wait $child; echo "status $?" >>log' &
space=$!
wait_until grep -q status log
wait "$space" || true
space=
echo "child of PID 1:" "$(tr '\n' ',' <log)"
grep -qx foreground log
grep -qx "Terminating on signal 15" log
grep -qx "status 1" log
[ "$(grep -c finished log)" = 0 ]

: >log
inside bash -c 'bash -c "venv/bin/python program.py; echo parent sees \$? >>log; exit 0"
    until grep -q background log; do sleep 0.05; done
    : >go; until grep -q finished log; do sleep 0.05; done' &
space=$!
wait_until grep -q finished log
wait "$space" || true
space=
echo "grandchild of PID 1:" "$(tr '\n' ',' <log)"
grep -qx background log
grep -qx "parent sees 0" log
