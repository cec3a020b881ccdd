//! This process: who it is, and what it holds.

use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};
use crate::sys::raw::{syscall, syscall_io};
use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The lowest descriptor that isn't one of the three standard streams.
const FIRST_OTHER: RawFd = 3;

/// getpid(2).
pub(crate) fn id() -> Pid {
    // SAFETY: touches no memory, can't fail.
    Pid::new(unsafe { syscall(libc::SYS_getpid, []) }.unwrap_or(0) as i32)
}

/// Whether /proc has the numbers of this PID namespace: in another's, which is easily had (unshare(1) without
/// `--mount-proc`), somebody else has the numbers of ours.
pub(super) fn proc_is_ours() -> bool {
    proc_has_our_numbers().unwrap_or(false)
}

/// The same; the error says why it couldn't be seen this time.
pub(super) fn proc_has_our_numbers() -> io::Result<bool> {
    let status = match std::fs::read_to_string("/proc/self/status") {
        Ok(status) => status,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    // From the namespace of that /proc inwards to our own.
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    Ok(numbers.is_some_and(|numbers| numbers.trim() == id().to_string()))
}

/// Ticks of which proc_pid_stat(5) counts a hundred a second on every machine this is built for (USER_HZ).
const TICK: Duration = Duration::from_millis(10);

/// When a process was started that has run for so long, in ticks since the machine was, as /proc counts them.
pub(crate) fn ticks_at_start(ran: Duration) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes a struct timespec.
    let _ = unsafe { syscall(libc::SYS_clock_gettime, [libc::CLOCK_BOOTTIME as usize, (&raw mut now) as usize]) };
    let now = Duration::new(now.tv_sec as u64, now.tv_nsec as u32);
    (now.saturating_sub(ran).as_millis() / TICK.as_millis()) as u64
}

/// What /proc says of a process; nothing, if there is no such process, or no such /proc.
#[cold]
fn status_of(pid: Pid) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/status")).ok().filter(|_| proc_is_ours())
}

/// What has come to that process and is blocked: proc_pid_status(5). Without /proc nobody can tell: nothing.
pub(super) fn pending(pid: Pid) -> SignalSet {
    let status = status_of(pid).unwrap_or_default();
    let bits = |name: &str| {
        let bits = status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        bits.and_then(|bits| u64::from_str_radix(bits, 16).ok()).unwrap_or(0)
    };
    SignalSet::from_bits(bits("SigPnd:") | bits("ShdPnd:"))
}

/// Whether that process, alive or not yet waited for, lets this signal take its default course: proc_pid_status(5).
/// Without /proc nobody can tell, and the answer is no.
#[cold]
pub(crate) fn takes_default(pid: Pid, signal: Signal) -> bool {
    let Some(status) = status_of(pid) else { return false };
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let is_in = |name| {
        let bits = field(name).and_then(|bits| u64::from_str_radix(bits, 16).ok());
        bits.is_none_or(|bits| SignalSet::from_bits(bits).contains(signal))
    };
    // A debugger may keep it from the process, and the first process of a PID namespace ignores what it doesn't catch.
    let traced = field("TracerPid") != Some("0");
    let is_init = field("NSpid").and_then(|pids| pids.split_whitespace().last()) == Some("1");
    !(traced || is_init || is_in("SigBlk") || is_in("SigIgn") || is_in("SigCgt") || awaits(pid, signal))
}

/// Whether that process waits for this signal by rt_sigtimedwait(2), as sigwait(3) does: it is shown as not blocked
/// meanwhile. No, where this can't be seen: proc_pid_syscall(5) is for those who may trace it.
#[cold]
fn awaits(pid: Pid, signal: Signal) -> bool {
    let call = std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let mut words = call.split_ascii_whitespace();
    if words.next().and_then(|number| number.parse().ok()) != Some(libc::SYS_rt_sigtimedwait) {
        return false;
    }
    let address = words.next().and_then(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok());
    let mut bits = [0; 8];
    let memory = std::fs::File::open(format!("/proc/{pid}/mem"));
    let read = memory.ok().zip(address).and_then(|(memory, at)| memory.read_exact_at(&mut bits, at).ok());
    read.is_some() && SignalSet::from_bits(u64::from_ne_bytes(bits)).contains(signal)
}

/// How often to look before a process is taken for one that hasn't asked for a signal.
const LOOKS: u32 = 3;

/// Whether a signal has come to that process that it doesn't block or catch: it is about to end by it, or has waited for
/// it. One that it ignores would have gone at once if it hadn't.
#[cold]
fn has_one_on_its_way(pid: Pid) -> bool {
    let Some(status) = status_of(pid) else { return false };
    let bits = |name: &str| {
        let bits = status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        bits.and_then(|bits| u64::from_str_radix(bits, 16).ok()).unwrap_or(0)
    };
    let pending = bits("SigPnd:") | bits("ShdPnd:");
    pending & !(bits("SigBlk:") | bits("SigCgt:")) != 0
}

/// Whether that process, a child of this one, would end by this signal without having asked for it: it doesn't catch,
/// ignore or block it. Without /proc nobody can tell, and the answer is no.
#[cold]
pub(crate) fn dies_unasked_of(pid: Pid, signal: Signal) -> bool {
    if !signal.ends_by_default() {
        return false;
    }
    // A process that rt_sigtimedwait(2) has woken, and that hasn't run since, is shown with what it waited for not blocked,
    // and no longer waiting: as one that never asked. It has a signal on its way, or soon shows what it does.
    if (0..LOOKS).all(|_| takes_default(pid, signal) && !has_one_on_its_way(pid)) {
        return true;
    }
    // Before its exec a child of ours has all signals blocked, and no handler can be its own.
    !crate::sys::descendants::has_executed(pid)
        && status_of(pid).is_some_and(|status| {
            let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
            let ignored = ignored.and_then(|bits| u64::from_str_radix(bits, 16).ok()).unwrap_or(0);
            !SignalSet::from_bits(ignored).contains(signal)
        })
}

/// The kernel's release: uname(2).
pub(crate) fn kernel_release() -> String {
    let mut name = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: the kernel writes a struct utsname, of which all zeroes are a value; its fields end with a NUL.
    unsafe {
        let _ = syscall(libc::SYS_uname, [name.as_mut_ptr() as usize]);
        CStr::from_ptr(name.assume_init_ref().release.as_ptr()).to_string_lossy().into_owned()
    }
}

/// Has the kernel send this signal to this process when its parent dies: PR_SET_PDEATHSIG (prctl(2)). A parent that dies
/// while this is said counts.
pub(crate) fn die_with_parent(signal: Signal) -> io::Result<()> {
    // SAFETY: these calls touch no memory.
    unsafe {
        let parent = syscall_io(libc::SYS_getppid, [])?;
        syscall_io(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG as usize, signal.number() as usize, 0, 0, 0])?;
        if syscall_io(libc::SYS_getppid, [])? != parent {
            syscall_io(libc::SYS_kill, [id().as_raw() as usize, signal.number() as usize])?;
        }
    }
    Ok(())
}

/// Whether children of this process can have a parent-death signal.
pub(crate) fn has_parent_death_signal() -> io::Result<()> {
    let mut signal: libc::c_int = 0;
    // SAFETY: the first call writes an int, the second touches no memory.
    unsafe {
        syscall_io(libc::SYS_prctl, [libc::PR_GET_PDEATHSIG as usize, (&raw mut signal) as usize, 0, 0, 0])?;
        syscall_io(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG as usize, signal as usize, 0, 0, 0])?;
    }
    Ok(())
}

/// Whether there is any process in this group.
pub(crate) fn is_any_in_group(group: Pid) -> bool {
    // SAFETY: touches no memory; signal 0 isn't one.
    !matches!(unsafe { syscall(libc::SYS_kill, [-group.as_raw() as usize, 0]) }, Err(libc::ESRCH))
}

/// A claim on being a child subreaper (prctl(2)); the last to go puts back what was before the first.
#[derive(Debug)]
pub(crate) struct Subreaper(());

/// How many claims there are, and whether this process was a subreaper before.
static SUBREAPER: Mutex<(usize, bool)> = Mutex::new((0, false));

impl Subreaper {
    pub(crate) fn claim() -> io::Result<Subreaper> {
        let mut state = SUBREAPER.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 == 0 {
            state.1 = set_subreaper(true)?;
        }
        state.0 += 1;
        Ok(Subreaper(()))
    }
}

impl Drop for Subreaper {
    fn drop(&mut self) {
        let mut state = SUBREAPER.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 -= 1;
        if state.0 == 0 {
            let _ = set_subreaper(state.1);
        }
    }
}

/// Makes this process a child subreaper, or no more, and says whether it was one.
fn set_subreaper(subreaper: bool) -> io::Result<bool> {
    let mut before: libc::c_int = 0;
    // SAFETY: the first call writes an int, the second touches no memory.
    unsafe {
        syscall_io(libc::SYS_prctl, [libc::PR_GET_CHILD_SUBREAPER as usize, (&raw mut before) as usize, 0, 0, 0])?;
        syscall_io(libc::SYS_prctl, [libc::PR_SET_CHILD_SUBREAPER as usize, usize::from(subreaper), 0, 0, 0])?;
    }
    Ok(before != 0)
}

/// Lets go of what this process was started with: descriptors from 3 on but those to be kept, stdin, stdout unless it
/// is written to, and the working directory.
///
/// Whoever reads the child's stdout sees its end when the child closes it, a file system can be unmounted, a socket is
/// closed when the child closes it. Its stderr the process keeps, for its own messages.
///
/// Record locks (fcntl(2)) that this process took before it became panicmon go with their descriptors; the child couldn't
/// have them in any case, as locks aren't inherited.
///
/// Only for a program that is a wrapper and nothing else, before it opens anything of its own.
pub(crate) fn let_go(kept: &[BorrowedFd<'_>], keep_stdout: bool) -> io::Result<()> {
    let mut kept: Vec<RawFd> = kept.iter().map(|fd| fd.as_raw_fd()).filter(|fd| *fd >= FIRST_OTHER).collect();
    kept.sort_unstable();
    let mut first = FIRST_OTHER;
    for fd in kept {
        if first < fd {
            close_range(first, fd - 1)?;
        }
        first = fd + 1;
    }
    close_range(first, RawFd::MAX)?;
    // SAFETY: closes descriptors that nothing in this process owns, and puts others in their place; the path is a C
    // string.
    unsafe {
        let _ = syscall(libc::SYS_close, [0]);
        let null = open(c"/dev/null", libc::O_RDWR)
            // A root without /dev/null: a descriptor that can't be read or written does as well.
            .or_else(|_| open(c"/", libc::O_PATH));
        debug_assert!(matches!(null, Ok(0) | Err(_)), "the lowest free descriptor");
        if !keep_stdout && syscall(libc::SYS_dup3, [0, 1, 0]).is_err() {
            // A limit of descriptors so low that none but 0 may be new.
            let _ = syscall(libc::SYS_close, [1]);
        }
        fill_outputs();
        syscall_io(libc::SYS_chdir, [c"/".as_ptr() as usize])?;
    }
    Ok(())
}

/// Sees that 0, 1 and 2 are open: were one closed, the next thing opened would get what is written to it.
pub(crate) fn fill_streams() {
    fill(0);
    fill_outputs();
}

/// Sees that 1 and 2 are open.
pub(crate) fn fill_outputs() {
    fill(1);
    fill(2);
}

/// Puts /dev/null in the place of this one, if it is closed.
fn fill(fd: RawFd) {
    // SAFETY: the path is a C string; what is opened takes a place that nothing has, and is closed again if that isn't the
    // one.
    unsafe {
        if syscall(libc::SYS_fcntl, [fd as usize, libc::F_GETFD as usize, 0]).is_ok() {
            return;
        }
        if let Ok(null) = open(c"/dev/null", libc::O_RDWR)
            && null != fd as usize
        {
            let _ = syscall(libc::SYS_dup3, [null, fd as usize, 0]);
            let _ = syscall(libc::SYS_close, [null]);
        }
    }
}

/// openat(2).
pub(super) fn open(path: &CStr, flags: i32) -> io::Result<usize> {
    // SAFETY: the path is a C string.
    unsafe { syscall_io(libc::SYS_openat, [libc::AT_FDCWD as usize, path.as_ptr() as usize, flags as usize, 0]) }
}

/// Frees the place of stdin: for a signalfd where the limit of descriptors allows no other, or once it has been read.
pub(crate) fn free_stdin() {
    // SAFETY: what is there was put there by `let_go`, or has been read to its end: nothing uses it any more.
    let _ = unsafe { syscall(libc::SYS_close, [0]) };
}

/// Closes all descriptors from `first` to `last`.
fn close_range(first: RawFd, last: RawFd) -> io::Result<()> {
    // SAFETY: the call touches no memory; see `let_go` for the descriptors.
    match unsafe { syscall(libc::SYS_close_range, [first as usize, last as usize, 0]) } {
        Ok(_) => Ok(()),
        // Linux before 5.9, or a filter that doesn't know the call.
        Err(_) => close_each(first, last),
    }
}

/// Closes all descriptors but these. Async-signal-safe.
pub(super) fn close_all_but(kept: &[RawFd], and: RawFd) {
    let mut first = 0;
    loop {
        let next = kept.iter().copied().chain([and]).filter(|fd| *fd >= first).min();
        let last = next.map_or(RawFd::MAX, |fd| fd - 1);
        if first <= last {
            // SAFETY: touches no memory; what uses these descriptors is in another process.
            let closed = unsafe { syscall(libc::SYS_close_range, [first as usize, last as usize, 0]) };
            if closed.is_err() {
                // Linux before 5.9: those that are likely.
                for fd in first..=last.min(1 << 12) {
                    // SAFETY: as above.
                    let _ = unsafe { syscall(libc::SYS_close, [fd as usize]) };
                }
            }
        }
        match next {
            Some(fd) => first = fd + 1,
            None => return,
        }
    }
}

/// Ends this process at once. Async-signal-safe.
pub(super) fn end(code: u8) -> ! {
    loop {
        // SAFETY: touches no memory.
        let _ = unsafe { syscall(libc::SYS_exit_group, [code.into()]) };
    }
}

fn close_each(first: RawFd, last: RawFd) -> io::Result<()> {
    let highest = match std::fs::read_dir("/proc/self/fd") {
        Ok(entries) => {
            entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).max().unwrap_or(0)
        }
        // Without /proc: everything the limit allows.
        Err(_) => nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE)?.1.min(1 << 20) as RawFd,
    };
    for fd in first..=highest.min(last) {
        // SAFETY: touches no memory; see `let_go`.
        let _ = unsafe { syscall(libc::SYS_close, [fd as usize]) };
    }
    Ok(())
}
