#!/usr/bin/env bash
# deno 2.9.6 from npm: installed without install scripts, `deno` is a launcher that passes no signal on.
#
# The npm package's command is a Node script. Its install script puts the real program in its place; where install scripts are off
# (`--ignore-scripts`, a setting of many companies and images, and the default of newer package managers) the Node script stays, works,
# and waits for the real program as a child. TERM ends the launcher alone, by the signal, and the server below lives on. With the
# real program, the same TERM reaches the server. Nothing in `deno --version` tells which of the two it is.
#
# Seen:
#     node_modules/.bin/deno: two processes; after TERM: launcher died of TERM, the server lives and has heard nothing
#     the program itself: one process; after TERM: the server heard TERM and ended with 42
#
# Needs: amd64 Linux with glibc, Node with npm. Exits with 1 if any of this has changed.
set -euo pipefail

command -v npm >/dev/null || { echo "needs Node with npm" >&2; exit 1; }
work=$(mktemp -d)
pid=
# shellcheck disable=SC2317
clean_up() {
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
    [ ! -s "$work/server" ] || kill -KILL "$(cat "$work/server")" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
cd "$work"
export DENO_NO_UPDATE_CHECK=1 DENO_DIR=$work/cache
npm install --silent --no-save --ignore-scripts --prefix . deno@2.9.6 @deno/linux-x64-glibc@2.9.6 >/dev/null

cat >server.ts <<'X'
Deno.addSignalListener("SIGTERM", () => {
  Deno.writeTextFileSync("heard", "TERM");
  Deno.exit(42);
});
Deno.writeTextFileSync("server.new", String(Deno.pid));
Deno.renameSync("server.new", "server");
setInterval(() => {}, 1000);
X

wait_until() {
    local end=$((SECONDS + 30))
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "waited in vain: $*" >&2; exit 1; }
        sleep 0.05
    done
}
# stopped PROGRAM: the status after a TERM, and the server's pid.
stopped() {
    rm -f server heard
    "$1" run -q -A server.ts </dev/null &
    pid=$!
    wait_until test -s server
    server=$(cat server)
    same=$([ "$server" = "$pid" ] && echo yes || echo no)
    kill -TERM "$pid"
    status=0
    wait "$pid" 2>/dev/null || status=$?
    pid=
}

stopped node_modules/.bin/deno
launcher="$same $status"
kill -0 "$server"
[ ! -e heard ]
echo "launcher: server is this process: $same; status $status; the server lives, and has heard nothing"
kill -KILL "$server"
# The launcher may have put a copy of the program beside itself: this is the package's own.
stopped node_modules/@deno/linux-x64-glibc/deno
echo "program: server is this process: $same; status $status; it heard $(cat heard)"
[ "$launcher / $same $status" = "no 143 / yes 42" ]
