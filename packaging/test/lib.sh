# Sourced by the tests of this folder. Each is a script, run as root on a Debian machine: it installs what it needs, starts the
# real thing, uses it and cleans up.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

checks=0
cleanups=()
cleaning=
# Why the test ran no checks.
skipped=

# Commands that clean up at any end of the script; the last one runs first.
at_end() { cleanups=("$*" "${cleanups[@]}"); }

clean_up() {
    local status=$?
    trap - EXIT ERR
    set +e
    cleaning=yes
    for cleanup in "${cleanups[@]}"; do eval "$cleanup"; done
    [ "$status" = 0 ] && echo "$(basename "$0"): ${skipped:-$checks checks passed}"
    exit "$status"
}
trap clean_up EXIT
# Reports a command that fails unexpectedly.
set -o errtrace
trap 'echo "$(basename "$0"): line $LINENO: failed: $BASH_COMMAND" >&2' ERR
trap 'exit 130' INT TERM

# During the clean-up a failure is only reported: the other steps must still run.
fail() {
    echo "$(basename "$0"): FAILED: $*" >&2
    [ -n "$cleaning" ] || exit 1
    return 1
}

# same WHAT EXPECTED ACTUAL
same() {
    [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
    checks=$((checks + 1))
    echo "ok: $1"
}

# holds WHAT COMMAND...: the command succeeds.
holds() {
    local what=$1
    shift
    "$@" || fail "$what: '$*' failed"
    checks=$((checks + 1))
    echo "ok: $what"
}

# not COMMAND...: the command fails.
not() { ! "$@"; }

# How many seconds a test waits before it fails.
deadline=${PANICMON_TEST_DEADLINE:-60}

# wait_for WHAT COMMAND...: repeats the command until it succeeds. (Not with read -t in between: after a trap bash
# continues at the wrong place, and the clean-up waits too.)
wait_for() {
    local what=$1 end=$((SECONDS + deadline))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "waited in vain for: $what" || return 1
        sleep 0.02
    done
}

# Installs those of these Debian packages that are missing, without starting their services.
packages() {
    local missing=() package policy=/usr/sbin/policy-rc.d
    for package in "$@"; do
        dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if ! [ -e "$policy" ]; then
        at_end "rm -f '$policy'"
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
    fi
    apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" >/dev/null
}

# The static binary under test: PANICMON_TEST_BINARY, or a new build.
panicmon=${PANICMON_TEST_BINARY:-$(packaging/build-static | tail -n 1)}

# A directory for this test.
scratch=$(mktemp -d)
chmod 755 "$scratch"
at_end "rm -rf '$scratch'"

# An engine that is stopped in the middle leaves mounts and cgroups.
leave_no_mounts() {
    local mounts
    mapfile -t mounts < <(awk -v dir="$scratch/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r)
    [ ${#mounts[@]} -eq 0 ] || umount "${mounts[@]}"
}
