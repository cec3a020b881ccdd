#!/usr/bin/env bash
# cross-env 10.1.0 and concurrently 9.2.5 (npm): after INT the status is 0, though the command died of it or ended with 42.
#
# cross-env passes signals on and returns its command's code. Of a death by a signal it makes 1, but 0 if that signal was INT. With
# concurrently it depends on what came to concurrently itself: after INT it is 0 whatever the commands ended with, after TERM any
# failure is 1. So the same stop is a success by INT and a failure by TERM, and a command that failed while it was stopped by INT
# is hidden. Neither gives 130 or 143.
#
# Seen:
#                                                  INT  TERM
#     cross-env, command dies of the signal        0    1
#     cross-env, command ends with 42              42   42
#     concurrently, command ends with 42           0    1
#     concurrently, command ends with 0            0    0
#
# Needs: Node with npm, Python 3. Exits with 1 if any of this has changed.
set -euo pipefail

command -v npm >/dev/null || { echo "needs Node with npm" >&2; exit 1; }
command -v python3 >/dev/null || { echo "needs Python 3" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --ignore-scripts --prefix . cross-env@10.1.0 concurrently@9.2.5 >/dev/null

# A shell's background command has INT ignored: Python starts them.
cat >run.py <<'X'
import os, signal, subprocess, sys, time

COMMAND = "import os,signal,sys\nfor s in (2,15): signal.signal(s, %s)\nopen('ready','w').close()\nwhile True: signal.pause()\n"
open("dies.py", "w").write(COMMAND % "signal.SIG_DFL")
for code in (0, 42):
    open(f"ends{code}.py", "w").write(COMMAND % f"lambda *_: os._exit({code})")

def stop(argv, number):
    if os.path.exists("ready"):
        os.remove("ready")
    with open("output", "w") as output:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    try:
        end = time.monotonic() + 30
        while not os.path.exists("ready"):
            if time.monotonic() > end or process.poll() is not None:
                sys.exit(f"{argv} has not started")
            time.sleep(0.02)
        process.send_signal(number)
        return process.wait(30)
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

bin = "node_modules/.bin/"
seen = []
for name, argv in [("cross-env, dies", [bin + "cross-env", "A=1", "python3", "dies.py"]),
                   ("cross-env, 42", [bin + "cross-env", "A=1", "python3", "ends42.py"]),
                   ("concurrently, 42", [bin + "concurrently", "exec python3 ends42.py"]),
                   ("concurrently, 0", [bin + "concurrently", "exec python3 ends0.py"])]:
    ends = [stop(argv, signal.SIGINT), stop(argv, signal.SIGTERM)]
    print(f"{name}: INT {ends[0]}, TERM {ends[1]}", flush=True)
    seen += ends
if seen != [0, 1, 42, 42, 0, 1, 0, 0]:
    sys.exit("not as described above")
X
python3 run.py
