//! What this process is allowed: capabilities(7).

/// A capability that matters to a wrapper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capability {
    Kill = 5,
    SetGid = 6,
    SetUid = 7,
}

/// Whether this process has it; no, where nobody can tell.
pub(crate) fn is_effective(capability: Capability) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = set.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0);
    set & 1 << capability as u32 != 0
}
