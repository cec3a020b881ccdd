#!/usr/bin/env bash
# supervisor 4.3.0, python-dotenv 1.2.4 and pexpect 4.9.0 (PyPI): what they start has PIPE and XFSZ ignored; honcho 2.0.0 and
# circus 0.19.0 don't do that.
#
# Python ignores the two for itself. subprocess puts them back in a child, but a plain exec doesn't: supervisord forks and execs,
# `dotenv run` execs, pexpect forks and execs. `yes | head -n 1` below them ends in "yes: standard output: Broken pipe" and a failure
# instead of a silent death by PIPE; a shell's `producer | consumer` may go on for ever if the producer ignores errors. The same
# Procfile is clean by honcho. It isn't the fault of a wrapper in between that keeps what it inherits, as it should.
#
# Seen:
#     supervisord: PIPE ignored yes; yes | head: status 1, "Broken pipe"
#     dotenv run: PIPE ignored yes; yes | head: status 1, "Broken pipe"
#     pexpect: PIPE ignored yes; yes | head: status 1, "Broken pipe"
#     honcho start: PIPE ignored no; yes | head: status 141, silent
#     circusd: PIPE ignored no; yes | head: status 141, silent
#
# Needs: Python 3.11 with venv, bash. Exits with 1 if any of this has changed.
set -euo pipefail

python3 -c 'import ensurepip, venv' || { echo "needs Python 3 with venv" >&2; exit 1; }
work=$(mktemp -d)
pid=
# shellcheck disable=SC2317
clean_up() {
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check supervisor==4.3.0 'python-dotenv[cli]==1.2.4' pexpect==4.9.0 honcho==2.0.0 \
    circus==0.19.0

# PIPE is the 13th bit.
cat >looks <<'X'
cd "$(dirname "$0")"
mask=$(sed -n 's/^SigIgn:\t*//p' /proc/self/status)
ignored=$([ $((0x$mask >> 12 & 1)) = 1 ] && echo yes || echo no)
yes 2>words | head -n 1 >/dev/null
status=${PIPESTATUS[0]}
said=$(grep -o "Broken pipe" words || echo silent)
echo "PIPE ignored $ignored; yes | head: status $status, $said" >seen.new
mv seen.new seen
exec sleep 60
X
wait_until() {
    local end=$((SECONDS + 60))
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "waited in vain: $*" >&2; cat log >&2; exit 1; }
        sleep 0.05
    done
}
all=
# below NAME COMMAND...
below() {
    local name=$1
    shift
    rm -f seen
    "$@" </dev/null >log 2>&1 &
    pid=$!
    wait_until test -s seen
    kill -TERM "$pid"
    wait "$pid" 2>/dev/null || true
    pid=
    echo "$name: $(cat seen)"
    all="$all$(cat seen);"
}
ports() { python3 -c 'import socket; s = [socket.socket() for _ in "ab"]; [x.bind(("127.0.0.1", 0)) for x in s]; print(*[x.getsockname()[1] for x in s])'; }
read -r one two < <(ports)
printf '%s\n' "[supervisord]" "nodaemon=true" "user=$(id -un)" "logfile=/dev/null" "logfile_maxbytes=0" "pidfile=$work/pid" \
    "[program:a]" "command=bash $work/looks" >supervisor.conf
printf '%s\n' "[circus]" "endpoint = tcp://127.0.0.1:$one" "pubsub_endpoint = tcp://127.0.0.1:$two" "[watcher:a]" \
    "cmd = $(command -v bash) $work/looks" "copy_env = True" >circus.ini
echo "a: exec bash $work/looks" >Procfile
: >.env
cat >spawn.py <<'X'
import pexpect, signal
child = pexpect.spawn("bash", ["looks"])
signal.pause()
X

below supervisord venv/bin/supervisord -c supervisor.conf
below "dotenv run" venv/bin/dotenv run -- bash "$work/looks"
below pexpect venv/bin/python spawn.py
below "honcho start" venv/bin/honcho start
below circusd venv/bin/circusd circus.ini
bad="PIPE ignored yes; yes | head: status 1, Broken pipe;"
good="PIPE ignored no; yes | head: status 141, silent;"
[ "$all" = "$bad$bad$bad$good$good" ]
