# Sourced, after lib.sh, by the tests with podman. Images, containers and configuration are in the scratch directory.
# shellcheck shell=bash disable=SC2154

packages podman runc

# podman_for WHO HELPERS: what podman needs for `with WHO`. It executes helpers and inits of that directory only.
podman_for() {
    local who=$1 helpers=$2
    mkdir -p "$scratch/$who"
    cat >"$scratch/$who/containers.conf" <<END
[containers]
init_path = "$helpers/catatonit"
# The defaults are beyond the limits of some machines.
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
helper_binaries_dir = ["$helpers"]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
END
    echo '{ "default": [{ "type": "insecureAcceptAnything" }] }' >"$scratch/policy.json"
    at_end "with $who pod rm --force --time 1 --all >/dev/null 2>&1"
    at_end "with $who rm --force --time 1 --all >/dev/null 2>&1"
}

# with WHO PODMAN-ARGUMENT...: podman. Each has its own images: that of the pause is made once.
with() {
    local who=$1
    shift
    CONTAINERS_CONF=$scratch/$who/containers.conf timeout "$deadline" podman --root "$scratch/$who/root" \
        --runroot "$scratch/$who/run" --tmpdir "$scratch/$who/tmp" --storage-driver vfs "$@"
}
