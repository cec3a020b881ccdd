#!/usr/bin/env bash
# tini 0.19.0 and catatonit 0.1.7 (Debian 12: tini 0.19.0-1+b3, catatonit 0.1.7-1+b2): without a `--` in front of the command, they
# take the command's options for their own. Where the letters fit, the command isn't run, and the status is 0.
#
# Both read their words with getopt(3), which goes on behind the first word that is no option. tini's usage is
# `tini [OPTIONS] PROGRAM -- [ARGS]`, so this is known there of the `--`; that `tini ls -l` prints tini's licence, and
# `catatonit grep -P` waits for ever, is a surprise. An entrypoint without `--` works for years, until somebody adds an option to CMD.
# dumb-init stops at the first word that is no option. With POSIXLY_CORRECT=1 both do, too.
#
# Seen (the command is a script that says its words):
#     tini -s COMMAND -x: status 1, invalid option -- 'x'
#     tini -s COMMAND -l: status 0, tini's licence; the command isn't run
#     tini -s COMMAND a -g: the command has `a` alone
#     catatonit COMMAND -V: status 0, catatonit's version; the command isn't run
#     catatonit COMMAND -P: it waits until it is stopped; the command isn't run
#     dumb-init COMMAND -c: the command has `-c`
#
# Needs: Debian 12. Exits with 1 if any of this has changed.
set -euo pipefail

for package in tini=0.19.0-1+b3 catatonit=0.1.7-1+b2 dumb-init=1.2.5-2; do
    [ "$(dpkg-query -W -f '${Version}' "${package%%=*}")" = "${package#*=}" ] || { echo "needs $package" >&2; exit 1; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset POSIXLY_CORRECT
printf '%s\n' '#!/bin/sh' 'echo "ran: $*"' >program
chmod +x program

# run WORD...: prints the first line of its output, and its status.
run() {
    local status=0
    timeout 2 "$@" >out 2>&1 </dev/null || status=$?
    echo "$(head -n 1 out), $status" | sed "s|^$1: ||"
}
seen() {
    local what=$1
    shift
    printf '%s: %s\n' "$*" "$(run "$@")"
    [ "$(run "$@")" = "$what" ]
}

seen "invalid option -- 'x', 1" tini -s ./program -x
seen "The MIT License (MIT), 0" tini -s ./program -l
seen "ran: a, 0" tini -s ./program a -g
seen "tini version 0.1.7_catatonit, 0" catatonit ./program -V
# 124: it was still there after two seconds, and timeout(1) has stopped it.
seen ", 124" catatonit ./program -P
seen "ran: -c, 0" dumb-init ./program -c
seen "ran: -l, 0" tini -s -- ./program -l
seen "ran: -P, 0" catatonit -- ./program -P
seen "ran: -l, 0" env POSIXLY_CORRECT=1 tini -s ./program -l
