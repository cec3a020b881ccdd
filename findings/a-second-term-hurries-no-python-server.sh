#!/usr/bin/env bash
# uvicorn 0.54.0, granian 2.8.9 and gunicorn 27.0.1 (PyPI): a second TERM hurries none of them.
#
# All three finish the requests that they have when TERM comes. One expects that the second one ends it at once, as the second ^C does
# in many programs; here it has no effect at all, the request is still answered, and only uvicorn gives up at INT. A second
# TERM that a wrapper passes on does nothing for the impatient: it takes a deadline and KILL.
#
# Seen, with a request that isn't finished:
#     uvicorn: after TERM, TERM: lives; the request is answered
#     granian: after TERM, TERM: lives; the request is answered
#     gunicorn: after TERM, TERM: lives; the request is answered
#     uvicorn: after TERM, INT: gone; the request isn't answered
#
# Needs: Python 3.11 with venv. Exits with 1 if any of this has changed.
set -euo pipefail

python3 -c 'import ensurepip, venv' || { echo "needs Python 3 with venv" >&2; exit 1; }
work=$(mktemp -d)
pid=
# shellcheck disable=SC2317
clean_up() {
    [ -z "$pid" ] || kill -KILL -- "-$pid" 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap clean_up EXIT
cd "$work"
# gunicorn puts a socket there.
export HOME=$work
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check uvicorn==0.54.0 granian==2.8.9 gunicorn==27.0.1

cat >served.py <<'X'
import asyncio, os, time

def tick():
    with open("ticks", "a") as file:
        file.write("x")

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": kind + ".complete"})
            if kind == "lifespan.shutdown":
                return
    open("asked", "w").close()
    while not os.path.exists("release"):
        await asyncio.sleep(0.05)
        tick()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"done"})

def wsgi(environ, start):
    open("asked", "w").close()
    while not os.path.exists("release"):
        time.sleep(0.05)
        tick()
    start("200 OK", [("Content-Length", "4")])
    return [b"done"]
X
cat >request.py <<'X'
import sys, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1], timeout=60).read().decode()
except Exception:
    answer = "nothing"
open("answer", "w").write(answer)
X
wait_until() {
    local end=$((SECONDS + 60))
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "waited in vain: $*" >&2; cat log >&2; exit 1; }
        sleep 0.05
    done
}
# shellcheck disable=SC2317
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }
# shellcheck disable=SC2317
ended() { ! kill -0 "$pid" 2>/dev/null || grep -qs '^State:.Z' "/proc/$pid/status"; }
# shellcheck disable=SC2317
taken() { grep -q '^SigPnd:.0*$' "/proc/$pid/status" && grep -q '^ShdPnd:.0*$' "/proc/$pid/status"; }

# shellcheck disable=SC2317
goes_on_or_ended() { ended || [ "$(stat -c %s ticks)" -ge $ticks ]; }

seen=
# hurried SECOND NAME COMMAND...
hurried() {
    local second=$1 name=$2
    shift 2
    rm -f asked release answer
    : >ticks
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    # In a group of its own, to be cleaned up as one. Its INT isn't ignored then.
    set -m
    "$@" "127.0.0.1:$port" >log 2>&1 &
    pid=$!
    set +m
    wait_until listens
    python3 request.py "http://127.0.0.1:$port/" &
    request=$!
    wait_until test -e asked
    kill -TERM "$pid"
    # The first one has been taken for a stop.
    wait_until grep -qE "Shutting down|Stopping worker|Handling signal: term" log
    kill "-$second" "$pid"
    if [ "$second" = INT ]; then wait_until ended; else wait_until taken; fi
    # The request goes on for a second after it, or its server is gone.
    ticks=$(($(stat -c %s ticks) + 20))
    wait_until goes_on_or_ended
    what=lives
    ended && what=gone
    : >release
    wait "$request"
    wait "$pid" 2>/dev/null || true
    pid=
    echo "$name: after TERM, $second: $what; answer: $(cat answer)"
    seen="$seen$name $what $(cat answer);"
}
# The last argument is the address.
# shellcheck disable=SC2016
{
    printf '%s\n' '#!/bin/sh' 'exec venv/bin/uvicorn served:asgi --port "${1##*:}"' >venv/bin/serve-uvicorn
    printf '%s\n' '#!/bin/sh' 'exec venv/bin/granian --interface asgi served:asgi --port "${1##*:}"' >venv/bin/serve-granian
    printf '%s\n' '#!/bin/sh' 'exec venv/bin/gunicorn served:wsgi -k gthread --graceful-timeout 60 -b "$1"' >venv/bin/serve-gunicorn
}
chmod +x venv/bin/serve-*
for name in uvicorn granian gunicorn; do hurried TERM $name venv/bin/serve-$name; done
hurried INT uvicorn venv/bin/serve-uvicorn
[ "$seen" = "uvicorn lives done;granian lives done;gunicorn lives done;uvicorn gone nothing;" ]
