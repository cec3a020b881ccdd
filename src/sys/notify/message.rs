//! What a notification says, and how much of it is the manager's.

/// The longest message that systemd takes.
pub(super) const LONGEST_MESSAGE_BYTES: usize = libc::PIPE_BUF;

/// Whether a message says READY=1.
pub(in crate::sys) fn says_ready(message: &[u8]) -> bool {
    message.split(ends_line).any(|line| line == b"READY=1")
}

/// What a message says of the sender's state: the last STATUS=.
pub(super) fn status(message: &[u8]) -> Option<String> {
    let status = message.split(ends_line).rev().find_map(|line| line.strip_prefix(b"STATUS="))?;
    Some(String::from_utf8_lossy(status).into_owned())
}

/// Whether all that a message says is that its descriptor is closed in the end.
pub(in crate::sys) fn is_barrier(message: &[u8]) -> bool {
    message.trim_ascii_end() == b"BARRIER=1"
}

/// A line ends with a newline or, to systemd, with a carriage return.
fn ends_line(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// The lines of a message that are for the manager: all but those that would make the child its main process, which is this
/// one. `None`: the rest says nothing.
pub(in crate::sys) fn passed_on(message: &[u8]) -> Option<Vec<u8>> {
    let is_main_pid = |line: &&[u8]| line.starts_with(b"MAINPID=") || line.starts_with(b"MAINPIDFD");
    let lines = message.split_inclusive(ends_line).filter(|line| !is_main_pid(line));
    let kept: Vec<u8> = lines.flatten().copied().collect();
    let says_anything = !kept.iter().all(ends_line);
    says_anything.then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_process_stays_this_one() {
        let kept = |message: &str| passed_on(message.as_bytes()).map(|kept| String::from_utf8(kept).unwrap());
        let same = |message: &str| assert_eq!(kept(message).as_deref(), Some(message));
        same("READY=1");
        same("READY=1\nSTATUS=all is well\n");
        same("STATUS=MAINPID=1");
        same("FDSTORE=1\nFDNAME=a");
        assert_eq!(kept("MAINPID=7\nREADY=1\n").as_deref(), Some("READY=1\n"));
        assert_eq!(kept("READY=1\nMAINPID=7").as_deref(), Some("READY=1\n"));
        assert_eq!(kept("READY=1\nMAINPIDFDID=7\nMAINPIDFD=1").as_deref(), Some("READY=1\n"));
        assert_eq!(kept("READY=1\rMAINPID=7\rSTATUS=x").as_deref(), Some("READY=1\rSTATUS=x"));
        assert_eq!(kept("\rMAINPID=7"), None);
        assert_eq!(kept("MAINPID=7\n"), None);
        assert_eq!(kept(""), None);
    }
}
