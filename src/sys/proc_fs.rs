//! Reading proc(5): what `status` and `stat` say of a process, which processes there are, what is mounted.
//!
//! A number that is read here may be another process's by the time it is used: `descendants` says how one is held.

use super::clock;
use super::directory;
use super::kernel_text;
use super::process;
use super::raw::syscall_io;
use crate::model::pid::Pid;
use crate::model::signal::SignalSet;
use std::borrow::Cow;
use std::ffi::{CStr, OsStr};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// The kernel's PF_FORKNOEXEC.
const FORKED_WITHOUT_EXEC: u64 = 0x40;

/// More than the fields of `stat` that are read take, a name of 15 bytes among them.
const STAT_BYTES: usize = 1024;

/// More than `status` takes, but of a process that is in hundreds of groups.
const STATUS_BYTES: usize = 4096;

/// As much as a thousand children take.
const CHILDREN_BYTES: usize = 8192;

/// More than the path of a process's file takes.
const PATH_BYTES: usize = 32;

/// Of the ticks in `stat` there are a hundred a second on every machine this is built for (USER_HZ).
const TICK: Duration = Duration::from_millis(10);

/// Whether /proc has the numbers of this PID namespace: in another's, which is easily had (unshare(1) without
/// `--mount-proc`), somebody else has the numbers of ours. No, where that can't be seen.
pub(super) fn is_ours() -> bool {
    has_our_numbers().unwrap_or(false)
}

/// [`is_ours`], found out once for all processes that are looked at together.
#[derive(Debug, Default)]
pub(crate) struct Ours(Option<bool>);

impl Ours {
    fn is_seen(&mut self) -> bool {
        if self.0.is_none() {
            // What couldn't be seen this time may be seen the next time.
            self.0 = has_our_numbers().ok();
        }
        self.0.unwrap_or(false)
    }

    /// From now on others are looked at: another /proc may have been mounted.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }
}

/// The same; the error says why it couldn't be seen this time.
pub(super) fn has_our_numbers() -> io::Result<bool> {
    let mut buffer = StatusBuffer::new();
    let status = match Status::read(c"/proc/self/status", &mut buffer) {
        Ok(status) => status,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    // One number for each namespace, from that of this /proc inwards to our own.
    Ok(status.field("NSpid").is_some_and(|numbers| numbers == process::id().to_string()))
}

/// Whether there is any /proc, of whatever PID namespace.
#[cfg(feature = "cli")]
#[cold]
pub(super) fn is_any() -> bool {
    fs::symlink_metadata("/proc/self").is_ok()
}

/// The number of this start of the machine; each has another one.
#[cfg(feature = "reports")]
pub(crate) fn boot_id() -> Option<String> {
    let id = kernel_text::read("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim_end().to_owned()).filter(|id| !id.is_empty())
}

/// The numbers of all processes that can be seen.
pub(super) fn all() -> io::Result<Vec<i32>> {
    directory::numbers(Path::new("/proc"))
}

/// The children of this process's first thread, alive or not yet waited for: all there are, if no other thread starts any.
/// `None`: this kernel, or this /proc, doesn't tell.
pub(crate) fn children() -> Option<Vec<Pid>> {
    let mut file = File::open(format!("/proc/self/task/{}/children", process::id())).ok()?;
    // A read gives at most a page; with less room there would be many.
    let mut list = String::with_capacity(CHILDREN_BYTES);
    file.read_to_string(&mut list).ok()?;
    Some(list.split_ascii_whitespace().filter_map(|word| word.parse().ok()).map(Pid::new).collect())
}

/// Whether this process has a controlling terminal. Each /proc in which it is seen says the same.
#[cold]
pub(super) fn has_terminal() -> io::Result<bool> {
    let stat = Stat::read(c"/proc/self/stat")?;
    stat.map(|stat| stat.terminal != 0).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))
}

/// What a process is called (`comm`, proc_pid_comm(5)). `None`: it has gone, or isn't seen.
#[cfg(feature = "reports")]
pub(crate) fn command_of(pid: Pid) -> Option<String> {
    Stat::of(pid.as_raw()).ok().flatten().filter(|_| is_ours()).map(|stat| stat.name)
}

/// The text of proc_pid_status(5).
#[derive(Debug)]
pub(crate) struct Status<'b>(pub(super) Cow<'b, str>);

/// Where a [`Status`] is read to: one read has it all.
pub(super) struct StatusBuffer([u8; STATUS_BYTES]);

impl StatusBuffer {
    pub(super) fn new() -> StatusBuffer {
        StatusBuffer([0; STATUS_BYTES])
    }
}

impl<'b> Status<'b> {
    pub(crate) fn of_this_process() -> io::Result<Status<'static>> {
        let mut buffer = StatusBuffer::new();
        let Status(text) = Status::read(c"/proc/self/status", &mut buffer)?;
        Ok(Status(Cow::Owned(text.into_owned())))
    }

    /// `None`: there is no such process, or no /proc with our numbers.
    #[cold]
    pub(super) fn of(pid: Pid, ours: &mut Ours, buffer: &'b mut StatusBuffer) -> Option<Status<'b>> {
        let status = with_path(pid.as_raw(), "status", |path| Status::read(path, buffer)).ok()?;
        Some(status).filter(|_| ours.is_seen())
    }

    fn read(path: &CStr, StatusBuffer(buffer): &'b mut StatusBuffer) -> io::Result<Status<'b>> {
        let bytes = read_start(path, buffer)?;
        // A name may be any bytes.
        Ok(Status(if bytes < buffer.len() {
            String::from_utf8_lossy(&buffer[..bytes])
        } else {
            let path = Path::new(OsStr::from_bytes(path.to_bytes()));
            Cow::Owned(String::from_utf8_lossy(&fs::read(path)?).into_owned())
        }))
    }

    /// All fields, each with its value without the blanks around it.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim()))
    }

    /// The value of a field, without the blanks around it.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    /// A field that is a set of signals, as `SigBlk` is.
    pub(super) fn signals(&self, name: &str) -> Option<SignalSet> {
        self.field(name).and_then(signals)
    }

    /// What has come to the first thread, or to the process, and is blocked.
    pub(super) fn pending(&self) -> SignalSet {
        let set = |name| self.signals(name).unwrap_or(SignalSet::EMPTY);
        set("SigPnd").union(set("ShdPnd"))
    }
}

/// A value of [`Status`] that is a set of signals.
pub(super) fn signals(value: &str) -> Option<SignalSet> {
    u64::from_str_radix(value, 16).ok().map(SignalSet::from_bits)
}

/// Does this with the path of a file of that process.
fn with_path<T>(pid: i32, file: &str, read: impl FnOnce(&CStr) -> io::Result<T>) -> io::Result<T> {
    let mut path = [0; PATH_BYTES];
    write!(&mut path[..PATH_BYTES - 1], "/proc/{pid}/{file}")?;
    read(CStr::from_bytes_until_nul(&path).map_err(io::Error::other)?)
}

/// Reads the beginning of a file by one read, which for a file of a process is all that fits; returns the number of bytes.
fn read_start(path: &CStr, into: &mut [u8]) -> io::Result<usize> {
    let flags = (libc::O_RDONLY | libc::O_CLOEXEC) as usize;
    // SAFETY: the kernel reads a C string.
    let file = unsafe { syscall_io(libc::SYS_openat, [libc::AT_FDCWD as usize, path.as_ptr() as usize, flags]) }?;
    let read = loop {
        // SAFETY: the kernel writes into the slice, at most its length.
        match unsafe { syscall_io(libc::SYS_read, [file, into.as_mut_ptr() as usize, into.len()]) } {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    // SAFETY: the descriptor is this function's own.
    let _ = unsafe { syscall_io(libc::SYS_close, [file]) };
    read
}

/// The text of proc_pid_limits(5).
#[cfg(feature = "reports")]
#[derive(Debug)]
pub(super) struct Limits(String);

#[cfg(feature = "reports")]
impl Limits {
    /// `None`: there is no such process, or no /proc with our numbers.
    pub(super) fn of(pid: Pid) -> Option<Limits> {
        kernel_text::read(format!("/proc/{pid}/limits")).ok().filter(|_| is_ours()).map(Limits)
    }

    /// The soft limit of this name; `None`: there is none, or it isn't known.
    pub(super) fn soft(&self, name: &str) -> Option<u64> {
        self.column(name, 0)
    }

    /// The same of the hard limit.
    pub(super) fn hard(&self, name: &str) -> Option<u64> {
        self.column(name, 1)
    }

    fn column(&self, name: &str, column: usize) -> Option<u64> {
        let line = self.0.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().nth(column)?.parse().ok()
    }
}

/// Fields of proc_pid_stat(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) pid: i32,
    /// What it executes: at most 15 bytes, which the process can set. Other than printable ones are escaped.
    pub(super) name: String,
    pub(super) state: u8,
    pub(super) parent: i32,
    pub(super) group: i32,
    pub(super) session: i32,
    /// The device of its controlling terminal; 0: it has none.
    pub(super) terminal: i32,
    pub(super) flags: u64,
    pub(super) threads: u64,
    /// When it was started, in ticks since the machine was.
    pub(super) started: u64,
}

impl Stat {
    /// What /proc says of that process; `None`: there is none.
    pub(super) fn of(pid: i32) -> io::Result<Option<Stat>> {
        with_path(pid, "stat", Stat::read)
    }

    fn read(path: &CStr) -> io::Result<Option<Stat>> {
        let mut line = [0; STAT_BYTES];
        match read_start(path, &mut line) {
            Ok(read) => Ok(Stat::parse(&line[..read])),
            // Hidden from us, or gone.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => Ok(None),
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the fields; the name may hold anything, blanks and parentheses too.
    pub(super) fn parse(line: &[u8]) -> Option<Stat> {
        let name = line.iter().position(|byte| *byte == b'(')? + 1;
        let end_of_name = line.iter().rposition(|byte| *byte == b')').filter(|end| *end >= name)?;
        let pid = std::str::from_utf8(line.split(|byte| *byte == b' ').next()?).ok()?.parse().ok()?;
        let mut fields = std::str::from_utf8(&line[end_of_name + 1..]).ok()?.split_ascii_whitespace();
        // The state is the third field; then come parent, group, session and terminal. The flags are the ninth, the threads the
        // 20th, the start is the 22nd.
        let state = *fields.next()?.as_bytes().first()?;
        let parent = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        let session = fields.next()?.parse().ok()?;
        let terminal = fields.next()?.parse().ok()?;
        let flags = fields.nth(1)?.parse().ok()?;
        let threads = fields.nth(10)?.parse().ok()?;
        let started = fields.nth(1)?.parse().ok()?;
        let name = String::from_utf8_lossy(&line[name..end_of_name]).escape_debug().to_string();
        Some(Stat { pid, name, state, parent, group, session, terminal, flags, threads, started })
    }

    /// A process whose first thread has ended looks like a zombie, and isn't.
    pub(super) fn is_alive(&self) -> bool {
        self.state != b'Z' && self.state != b'X' || self.threads > 1
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.state == b'T'
    }

    /// Whether it has executed anything since it was forked.
    pub(super) fn has_executed(&self) -> bool {
        self.flags & FORKED_WITHOUT_EXEC == 0
    }
}

/// The start of a process that has run for this long, as [`Stat`] has it.
pub(crate) fn ticks_at_start(ran: Duration) -> u64 {
    (clock::since_boot().saturating_sub(ran).as_millis() / TICK.as_millis()) as u64
}

/// A line of proc_pid_mountinfo(5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mount<'t> {
    /// The part of the file system that is mounted.
    pub(super) root: &'t str,
    /// Where it is.
    pub(super) point: &'t str,
    pub(super) kind: &'t str,
    /// Those of the file system as a whole, with commas between them.
    pub(super) options: &'t str,
}

impl<'t> Mount<'t> {
    pub(super) fn parse(line: &'t str) -> Option<Mount<'t>> {
        // Before the dash there may be any number of optional fields.
        let (mount, file_system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (root, point) = (mount.next()?, mount.next()?);
        let mut file_system = file_system.split(' ');
        let (kind, options) = (file_system.next()?, file_system.nth(1)?);
        Some(Mount { root, point, kind, options })
    }
}

/// The text of what is mounted for this process.
pub(super) fn mountinfo() -> io::Result<String> {
    kernel_text::read("/proc/self/mountinfo")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signal::Signal;

    #[cfg(feature = "reports")]
    #[test]
    fn a_limit_is_a_number_or_there_is_none() {
        let limits = "Max cpu time  unlimited  2  seconds\nMax core file size     0    unlimited    bytes\n";
        let limits = Limits(limits.to_owned());
        assert_eq!((limits.soft("Max cpu time"), limits.hard("Max cpu time")), (None, Some(2)));
        assert_eq!((limits.soft("Max core file size"), limits.hard("Max core file size")), (Some(0), None));
        assert_eq!(limits.soft("Max data size"), None);
    }

    #[test]
    fn a_name_may_hold_anything() {
        let line = b"7 (a) R 1 (\n) S 5 6 4 34816 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 4242 9 9 9\n";
        let expected = Stat {
            pid: 7,
            name: "a) R 1 (\\n".to_owned(),
            state: b'S',
            parent: 5,
            group: 6,
            session: 4,
            terminal: 34816,
            flags: 4_194_304,
            threads: 1,
            started: 4242,
        };
        assert_eq!(Stat::parse(line), Some(expected));
        for bad in [b"7 (a".as_slice(), b"7 (a) S 5", b"7 )a(", b""] {
            assert_eq!(Stat::parse(bad), None);
        }
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "Name:\tSigBlk: 1\nSigPnd:\t0000000000000200\nShdPnd:\t0000000000004000\nSig:\t\nSigCgt:\tzz\n";
        let status = Status(Cow::Borrowed(text));
        assert_eq!(status.field("Name"), Some("SigBlk: 1"));
        assert_eq!((status.field("Sig"), status.field("Nam"), status.field("SigBlk")), (Some(""), None, None));
        assert_eq!(status.pending(), [Signal::USR1, Signal::TERM].into_iter().collect());
        assert_eq!((status.signals("SigCgt"), status.signals("SigBlk")), (None, None));
    }

    /// A process may be in 65,536 groups.
    #[test]
    fn a_long_status_is_read_to_its_end() {
        let path = std::env::temp_dir().join(format!("panicmon-test-{}-status", process::id()));
        for groups in [0, 1000, 50_000] {
            fs::write(&path, format!("Groups:\t{}\nSigBlk:\t0000000000000001\n", "65534 ".repeat(groups))).unwrap();
            let c_path = std::ffi::CString::new(path.as_os_str().as_bytes()).unwrap();
            let mut buffer = StatusBuffer::new();
            let status = Status::read(&c_path, &mut buffer).unwrap();
            assert_eq!(status.signals("SigBlk"), Some(SignalSet::EMPTY.with(Signal::HUP)), "{groups}");
        }
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_mount_may_have_optional_fields_or_none() {
        let mount = Mount { root: "/a", point: "/b", kind: "cgroup2", options: "rw,nsdelegate" };
        for line in [
            "30 23 0:26 /a /b rw,nosuid - cgroup2 cgroup2 rw,nsdelegate",
            "30 23 0:26 /a /b rw shared:9 master:1 - cgroup2 none rw,nsdelegate",
        ] {
            assert_eq!(Mount::parse(line), Some(mount), "{line}");
        }
        assert_eq!(Mount::parse("30 23 0:26 /a - cgroup2 cgroup2 rw"), None);
        assert_eq!(Mount::parse("nonsense"), None);
    }

    #[test]
    fn this_process_was_started_before_now() {
        let own = Stat::of(process::id().as_raw()).unwrap().unwrap();
        assert!(own.is_alive() && !own.is_stopped() && own.has_executed());
        assert!((1..=ticks_at_start(Duration::ZERO)).contains(&own.started));
        assert_eq!(Stat::of(i32::MAX).unwrap(), None);
        let mut buffer = StatusBuffer::new();
        let status = Status::of(process::id(), &mut Ours::default(), &mut buffer);
        assert!(status.is_some() == is_ours());
    }
}
