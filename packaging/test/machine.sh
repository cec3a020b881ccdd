# Sourced, after lib.sh, by the tests with a real systemd. systemd-nspawn boots a Debian release in a container, which has
# units with panicmon. To be set before: release; contents, its packages; skips, if the test is skipped where that release
# can't be installed.
# shellcheck shell=bash disable=SC2154,SC2034

packages debootstrap systemd-container

# --- The machine ---

machine=panicmon-$(basename "$0")-$$
cgroup=/sys/fs/cgroup/$machine
cache=${XDG_CACHE_HOME:-$HOME/.cache}/panicmon-test/$release

# Built beside its place, and moved there when it is complete.
build_cache() {
    echo "building $cache"
    rm -rf "$cache" "$cache.new"
    at_end "rm -rf '$cache.new'"
    debootstrap --variant=minbase --include="$contents" "$release" "$cache.new" >"$scratch/debootstrap.log" 2>&1 || {
        tail "$scratch/debootstrap.log" >&2
        if [ -n "${skips-}" ]; then
            skipped="skipped: debootstrap can't install $release here"
            exit 0
        fi
        fail "debootstrap"
    }
    rm "$cache.new"/var/cache/apt/archives/*.deb
    # The container needs no logins.
    systemctl --quiet --root "$cache.new" mask systemd-logind.service console-getty.service getty.target
    echo "$contents" >"$cache.new/panicmon-test"
    mv "$cache.new" "$cache"
}

# The pid of the container's systemd, as seen from outside.
systemd_in_there() { head -n 1 "$cgroup/payload/init.scope/cgroup.procs" | grep .; }

# inside COMMAND...: in the container.
inside() { nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup --root --wd -- "$@"; }

# Boots a copy of the cache. It uses no systemd that may run outside, and has a cgroup of its own.
boot() {
    mkdir "$scratch/copy" "$scratch/tree" "$cgroup"
    mount -t tmpfs tmpfs "$scratch/copy"
    mkdir "$scratch/copy/upper" "$scratch/copy/overlay"
    mount -t overlay overlay "$scratch/tree" \
        -o "lowerdir=$cache,upperdir=$scratch/copy/upper,workdir=$scratch/copy/overlay"
    install "$panicmon" "$scratch/tree/usr/bin/panicmon"
    install packaging/test/systemd-service.py "$scratch/tree/usr/bin/test-service"
    # In a PID namespace, because a systemd-nspawn that is killed leaves the container running.
    (
        echo "$BASHPID" >"$cgroup/cgroup.procs"
        exec setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount-proc \
            systemd-nspawn --boot --directory "$scratch/tree" --machine "$machine" --register=no --keep-unit \
            --private-users=no --private-network --link-journal=no --resolv-conf=off --timezone=off --console=pipe
    ) </dev/null >"$scratch/console" 2>&1 &
    nspawn=$!
    (wait_for "systemd" it_runs_or_failed) || return
    init=$(systemd_in_there) || return
    (wait_for "the end of the boot" booted) && inside python3 -c "import socket, subprocess, threading"
}
it_runs_or_failed() { systemd_in_there || ! kill -0 "$nspawn"; }
booted() { [[ $(inside systemctl is-system-running) =~ ^(running|degraded)$ ]]; }

halt() {
    [ -z "$nspawn" ] || kill -KILL "$nspawn" || true
    wait
    wait_for "the end of all in $cgroup" empty "$cgroup"
    find "$cgroup" -depth -type d -exec rmdir {} +
    umount "$scratch/tree" "$scratch/copy"
    rmdir "$scratch/tree" "$scratch/copy"
    nspawn=
} 2>/dev/null

# The cgroup is empty.
empty() { [ -z "$(find "$1" -name cgroup.procs -exec cat {} + 2>/dev/null)" ]; }

tell_more() {
    tail -n 20 "$scratch/console"
    inside journalctl --no-pager --lines 60
} >&2

mkdir -p "$(dirname "$cache")"
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# The files of systemd-nspawn.
mount -t tmpfs tmpfs /run
nspawn=
at_end halt
exec {lock}>"$cache.lock"
flock "$lock"
[ "$(cat "$cache/panicmon-test" 2>/dev/null)" = "$contents" ] || build_cache
if ! boot 2>"$scratch/trouble"; then
    cat "$scratch/trouble" "$scratch/console"
    halt
    build_cache
    boot || fail "the container doesn't boot"
fi
flock --unlock "$lock"
# shellcheck disable=SC2016 # evaluated at the end
at_end '[ "$status" = 0 ] || tell_more'
files=/proc/$init/root
inside mkdir --mode 777 /run/test

# --- Units ---

# The words before the command of a service.
wrapper="/usr/bin/panicmon --"

# How a service ended, as systemd reports it to ExecStopPost: it forgets a unit that succeeded.
# shellcheck disable=SC2016 # for systemd
tell_end='ExecStopPost=/bin/sh -c "echo $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS >/run/test/%N.end"'

# service NAME [SETTING]... -- [STEP]...: writes a service that does these steps (systemd-service.py).
service() {
    local name=$1 settings=("[Service]")
    shift
    while [ "$1" != -- ]; do
        settings+=("$1")
        shift
    done
    shift
    local steps=("$@")
    printf '%s\n' "${settings[@]}" "ExecStart=$wrapper /usr/bin/test-service $name ${steps[*]@Q}" "$tell_end" \
        >"$files/run/systemd/system/$name.service"
}

# Writes and starts it.
started() {
    service "$@"
    inside systemctl start "$1" || fail "$1 doesn't start"
}

# ran NAME ...: the same for a service that ends. If it ends before its start is complete, the start fails.
ran() {
    service "$@"
    inside systemctl start "$1" 2>/dev/null || true
    wait_for "the end of $1" over "$1"
}

# noted NAME TEXT: the journal has this text.
noted() { inside journalctl --quiet --no-pager --unit "$1" | grep -q -e "$2"; }

# What the service has written so far, in one line.
seen() { paste -sd, "$files/run/test/$1.log"; }

# sees NAME LINE: waits until the service has written this line.
sees() {
    wait_for "$1 to see '$2'" grep -qx "$2" "$files/run/test/$1.log"
    holds "$1: $2" true
}

# tell NAME STEP
tell() { echo "$2" >"$files/run/test/$1.steps"; }

# pass NAME SIGNAL: sends it to the main process.
pass() { inside systemctl kill --kill-whom=main --signal="$2" "$1"; }

# dismiss NAME: stops it; the rest of the test doesn't use it.
dismiss() { inside systemctl kill --signal=KILL "$1"; }

property() { inside systemctl show --property "$2" --value "$1"; }
is() { [ "$(property "$1" "$2")" = "$3" ]; }

# becomes NAME PROPERTY VALUE: waits until systemd reports this value.
becomes() {
    wait_for "$1: $2=$3" is "$1" "$2" "$3"
    same "$1: $2=$3" "$3" "$(property "$1" "$2")"
}

# The state of the unit, its result, and how its main process ended.
end_of() {
    wait_for "the end of $1" over "$1"
    echo "$(property "$1" ActiveState) $(cat "$files/run/test/$1.end")"
}
over() { is "$1" ActiveState inactive || is "$1" ActiveState failed; }

# No process of the unit is left.
gone() { [ -z "$(find "$cgroup" -path "*/$1.service/cgroup.procs" -exec cat {} + 2>/dev/null)" ]; }
nothing_left() {
    wait_for "the end of all in $1" gone "$1"
    holds "$1: nothing is left" gone "$1"
}

# times NAME COUNT WORD: the service has written WORD this many times.
times() { [ "$(grep -c "$3" "$files/run/test/$1.log")" = "$2" ]; }
