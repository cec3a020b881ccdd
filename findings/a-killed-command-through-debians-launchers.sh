#!/usr/bin/env bash
# Debian 12's small launchers that wait for a command (util-linux 2.38.1-5+deb12u3, expect 5.45.4-2+b1, faketime 0.9.10-2.1,
# moreutils 0.67-1): a command that was killed is 9, 0 or 1 with some of them, and not 137.
#
# `setsid --wait` gives the bare number of the signal: a death by TERM is 15, that by KILL 9, which is also what `exit 9` gives. But it
# forks only if it leads a process group, as an interactive shell's job and a wrapper's child do; in a script it execs, and it is 137.
# unbuffer gives 0: a server that the OOM killer ended was a success. With -p it gives 0 for every end, `exit 7` included.
# `unshare --fork` dies of the command's signal, except KILL: it fails to set a handler for that, says "sigprocmask unblock failed:
# Invalid argument", and exits with 1. faketime and chronic make 1 of each signal. flock and `script -e` give 128+N.
#
# Seen:
#                     KILL  TERM  exit 7
#     setsid --wait   9     15    7     (where it leads a group)
#     setsid --wait   137   143   7     (where it doesn't)
#     unbuffer        0     0     7
#     unbuffer -p     0     0     0
#     unshare --fork  1     143   7
#     faketime        1     1     7
#     chronic         1     1     7
#     flock           137   143   7
#     script -e       137   143   7
#
# Needs: amd64 Debian 12, apt-get. Exits with 1 if any of this has changed.
set -euo pipefail

[ "$(dpkg-query -W -f '${Version}' util-linux)" = 2.38.1-5+deb12u3 ] ||
    { echo "needs util-linux 2.38.1-5+deb12u3" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

packages=(expect=5.45.4-2+b1 tcl-expect=5.45.4-2+b1 libtcl8.6=8.6.13+dfsg-2 tcl8.6=8.6.13+dfsg-2 faketime=0.9.10-2.1
    libfaketime=0.9.10-2.1 moreutils=0.67-1 libipc-run-perl=20220807.0-1 libio-pty-perl=1:1.17-1)
apt-get download -q "${packages[@]}" >/dev/null 2>&1 ||
    { apt-get update -q >/dev/null && apt-get download -q "${packages[@]}" >/dev/null; }
for package in *.deb; do dpkg-deb -x "$package" root; done
export LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu TCL_LIBRARY=$work/root/usr/share/tcltk/tcl8.6
export TCLLIBPATH="$work/root/usr/lib/tcltk/x86_64-linux-gnu $work/root/usr/lib/tcltk"
export PERL5LIB=$work/root/usr/share/perl5:$work/root/usr/lib/x86_64-linux-gnu/perl5/5.36
export PATH=$work/root/usr/bin:$PATH

seen=
# ends NAME LAUNCHER...: the three statuses of `LAUNCHER... sh SCRIPT`.
ends() {
    local name=$1 line=
    shift
    for script in killed terminated seven; do
        status=0
        { timeout -s KILL 30 "$@" sh "$work/$script" </dev/null >/dev/null 2>>said; } 2>/dev/null || status=$?
        line="$line $status"
    done
    seen="$seen$name$line;"
    # shellcheck disable=SC2086
    printf '%-15s %-5s %-5s %s\n' "$name" $line
}
# shellcheck disable=SC2016
{
    echo 'kill -KILL $$' >killed
    echo 'kill -TERM $$' >terminated
    echo 'exit 7' >seven
}
# unbuffer has /usr/bin/expect in its first line.
unbuffer=("$work/root/usr/bin/expect" "$work/root/usr/bin/expect_unbuffer")
# script takes one word.
printf '%s\n' '#!/bin/sh' 'exec script -qec "$*" /dev/null' >script-e
chmod 755 script-e

# The outer one execs, and makes a leader of the inner one.
ends "setsid leading" setsid setsid --wait
ends "setsid" setsid --wait
ends "unbuffer" "${unbuffer[@]}"
ends "unbuffer -p" "${unbuffer[@]}" -p
ends "unshare --fork" unshare --fork
ends "faketime" env FAKETIME_DONT_RESET=1 "$work/root/usr/bin/faketime" "2020-01-01"
ends "chronic" "$work/root/usr/bin/chronic"
ends "flock" flock lock
ends "script -e" "$work/script-e"
grep -q "sigprocmask unblock failed: Invalid argument" said
[ "$seen" = "setsid leading 9 15 7;setsid 137 143 7;unbuffer 0 0 7;unbuffer -p 0 0 0;unshare --fork 1 143 7;faketime 1 1 7;chronic 1 1 7;\
flock 137 143 7;script -e 137 143 7;" ] || { echo "not as described above" >&2; cat said >&2; exit 1; }
