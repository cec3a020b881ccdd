#!/usr/bin/env bash
# pm2 6.0.8 (npm): pm2-runtime, which is made for containers, ends with 2 whatever its only program ended with, 0 too.
#
# With --no-autorestart, or when a program has used up --max-restarts, pm2-runtime sees that nothing is online, waits for a few
# seconds more, says that it was successfully stopped, and ends with 2. A job that went well (0), one that failed (7) and one that
# was killed are the same to an engine: `restart: on-failure` starts the job again for ever, and the code that would tell why is
# gone. A program that is to be PID 1's only one must be started without it, if its status is to mean anything.
#
# Seen: exit 0: 2; exit 7: 2; KILL: 2; each with "PM2 successfully stopped".
#
# Needs: Node with npm. Exits with 1 if any of this has changed.
set -euo pipefail

command -v npm >/dev/null || { echo "needs Node with npm" >&2; exit 1; }
work=$(mktemp -d)
export PM2_HOME=$work/pm2
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-save --ignore-scripts pm2@6.0.8 >/dev/null
echo 'process.exit(0)' >zero.js
echo 'process.exit(7)' >seven.js
echo 'process.kill(process.pid, "SIGKILL"); setTimeout(() => {}, 60000)' >killed.js

for program in zero seven killed; do
    status=0
    timeout -s KILL 120 node_modules/.bin/pm2-runtime "$program.js" --no-autorestart </dev/null >said 2>&1 || status=$?
    echo "$program: $status"
    [ "$status" = 2 ]
    grep -q "PM2 successfully stopped" said
done
