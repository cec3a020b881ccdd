# Sourced by packaging/build-static and packaging/cross: what every static binary of the same commit has in common.
# shellcheck shell=sh disable=SC2034

separator=$(printf '\037')

# A fixed address: no relocations at every start, and their pages stay untouched. One segment, in which the code of every run
# stands together: the kernel has less to map. And no folder of the machine that builds is in the binary: $1 is cargo's home.
linked_as_one() {
    printf '%s' "-Crelocation-model=static${separator}-Ctarget-feature=+crt-static" \
        "${separator}-Clink-arg=-Wl,-z,noseparate-code${separator}-Clink-arg=-Wl,-T,packaging/hot.ld" \
        "${separator}--remap-path-prefix=$1/registry/src=/cargo"
}

# dockerd expects the version of its init in this form, and shows what follows "git.". A clone of any depth makes twelve digits
# of it.
if [ -z "${PANICMON_BUILD-}" ] && commit=$(git rev-parse --short=12 HEAD 2>/dev/null); then
    PANICMON_BUILD="$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1) - git.$commit"
    export PANICMON_BUILD
fi
