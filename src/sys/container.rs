//! The number of the container this process is in, where /proc tells it.

use super::kernel_text;

/// As Docker, containerd, CRI-O and podman number them.
const DIGITS: usize = 64;

/// The number, by the name of the cgroup; or, where a namespace hides that, by the files that an engine mounts.
pub(crate) fn id() -> Option<String> {
    let read = |path| kernel_text::read(path).unwrap_or_default();
    in_cgroup(&read("/proc/self/cgroup")).or_else(|| in_mounts(&read("/proc/self/mountinfo")))
}

/// The last name of a path, without what systemd adds: `docker-NUMBER.scope`.
fn in_cgroup(groups: &str) -> Option<String> {
    groups.lines().find_map(|line| {
        let name = line.rsplit('/').next()?;
        let name = name.strip_suffix(".scope").unwrap_or(name);
        number(name.rsplit(['-', ':']).next()?)
    })
}

/// /etc/hostname and its like are mounted from a directory of the container's: `.../containers/NUMBER/hostname`. A pod's
/// are in one of the pod (`sandboxes`), which isn't the container.
fn in_mounts(mounts: &str) -> Option<String> {
    mounts.lines().find_map(|line| {
        let root = line.split(' ').nth(3)?;
        let mut names = root.split('/').skip_while(|name| !name.ends_with("containers"));
        names.next()?;
        number(names.next()?)
    })
}

fn number(name: &str) -> Option<String> {
    let is_number = name.len() == DIGITS && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_number.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found_where_engines_put_it() {
        let id = "0123456789abcdef".repeat(4);
        for groups in [
            format!("0::/system.slice/docker-{id}.scope\n"),
            format!("4:memory:/docker/{id}\n0::/\n"),
            format!("0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{id}.scope\n"),
            format!("4:memory:/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:{id}\n"),
            format!("0::/machine.slice/libpod-{id}.scope\n"),
        ] {
            assert_eq!(in_cgroup(&groups).as_ref(), Some(&id), "{groups}");
        }
        assert_eq!(in_cgroup("0::/user.slice/user-0.slice/session-1.scope\n0::/\n\n"), None);
        for (root, found) in [
            (format!("/var/lib/docker/containers/{id}/hostname"), Some(&id)),
            (format!("/containers/storage/overlay-containers/{id}/userdata/hostname"), None),
            (format!("/overlay-containers/{id}/userdata/hostname"), Some(&id)),
            (format!("/io.containerd.grpc.v1.cri/sandboxes/{id}/hostname"), None),
            ("/".to_owned(), None),
        ] {
            let line = format!("612 600 254:1 {root} /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n");
            assert_eq!(in_mounts(&line).as_ref(), found, "{line}");
        }
    }
}
