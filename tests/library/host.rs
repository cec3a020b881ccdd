//! What a program that uses the library does with signals of its own: raw calls.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Sends it to this thread: its handlers have run when this returns.
pub fn raise(signal: i32) {
    // SAFETY: touches no memory.
    assert_eq!(unsafe { libc::raise(signal) }, 0);
}

/// The same with this `si_code`, which the kernel lets a process set for itself, and a value.
pub fn raise_with(signal: i32, code: i32, value: usize) {
    #[repr(C)]
    struct Info {
        signal: i32,
        errno: i32,
        code: i32,
        fields: Fields,
        rest: [usize; 12],
    }
    #[repr(C)]
    struct Fields {
        pid: i32,
        uid: u32,
        value: usize,
    }
    let fields = Fields { pid: std::process::id() as i32, uid: 0, value };
    let info = Info { signal, errno: 0, code, fields, rest: [0; 12] };
    // SAFETY: the kernel reads a siginfo_t.
    let sent = unsafe {
        let (pid, thread) = (libc::getpid(), libc::syscall(libc::SYS_gettid));
        libc::syscall(libc::SYS_rt_tgsigqueueinfo, pid, thread, signal, &raw const info)
    };
    assert_eq!(sent, 0, "{}", io::Error::last_os_error());
}

/// Sends these to this thread; all of them are pending before the first handler runs.
pub fn raise_at_once(signals: &[i32]) {
    // SAFETY: the set lives on this stack.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        for signal in signals {
            libc::sigaddset(&raw mut set, *signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        signals.iter().copied().for_each(raise);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
    }
}

/// A pair of sockets, of which the first sends this signal, or SIGIO, to this thread when something was written to the
/// second. If it is this thread that writes, its handlers have run when it goes on.
pub fn async_socket(signal: Option<i32>) -> (UnixStream, UnixStream) {
    let (socket, peer) = UnixStream::pair().unwrap();
    let fd = socket.as_raw_fd();
    // Of the kernel; crate libc has no names for these.
    const F_SETSIG: c_int = 10;
    const F_SETOWN_EX: c_int = 15;
    const F_OWNER_TID: c_int = 0;
    // SAFETY: the calls touch no memory but two integers, which F_SETOWN_EX reads.
    unsafe {
        let owner = [F_OWNER_TID, libc::syscall(libc::SYS_gettid) as c_int];
        assert_eq!(libc::fcntl(fd, F_SETOWN_EX, owner.as_ptr()), 0);
        if let Some(signal) = signal {
            assert_eq!(libc::fcntl(fd, F_SETSIG, signal), 0);
        }
        assert_eq!(libc::fcntl(fd, libc::F_SETFL, libc::O_ASYNC), 0);
    }
    (socket, peer)
}

/// Runs it in a fork that is the first process of a PID namespace of its own, and returns how that ended.
pub fn in_new_pid_namespace(act: impl FnOnce() -> i32) -> io::Result<ExitStatus> {
    // SAFETY: a fork, as by fork(2), which does what a test asks and ends without coming back.
    unsafe {
        let flags = libc::CLONE_NEWPID | libc::SIGCHLD;
        let pid = libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0);
        if pid == 0 {
            libc::_exit(act());
        }
        if pid < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(wait(pid as i32, 0))
    }
}

/// Whether a fork that does this stops itself.
pub fn stops_in_fork(act: impl FnOnce()) -> bool {
    // SAFETY: a fork, which does what a test asks and ends without coming back.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        act();
        // SAFETY: ends this process.
        unsafe { libc::_exit(0) };
    }
    let stopped = wait(pid, libc::WUNTRACED).stopped_signal().is_some();
    if stopped {
        // SAFETY: touches no memory.
        unsafe { libc::kill(pid, libc::SIGKILL) };
        wait(pid, 0);
    }
    stopped
}

fn wait(pid: i32, options: c_int) -> ExitStatus {
    let mut status = 0;
    // SAFETY: writes an int.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, options) }, pid);
    ExitStatus::from_raw(status)
}

/// How many handlers of [`by_signal`] there can be at once.
pub const HANDLERS: usize = 3;

static CALLS: [AtomicUsize; HANDLERS] = [const { AtomicUsize::new(0) }; HANDLERS];
static FOUND: [AtomicUsize; HANDLERS] = [const { AtomicUsize::new(0) }; HANDLERS];
/// What is in the registers of the second and the third argument.
static LEFTOVER: AtomicUsize = AtomicUsize::new(0);
static INSTALLING: Mutex<()> = Mutex::new(());

/// In the place of a handler that was compiled to be called with one argument: it calls what it has found with that, and
/// the registers of further arguments have anything in them.
extern "C" fn one_argument<const NUMBER: usize>(signal: c_int) {
    CALLS[NUMBER].fetch_add(1, Ordering::SeqCst);
    let found = FOUND[NUMBER].load(Ordering::SeqCst);
    // What a stack may hold by chance: something like the beginning of a siginfo_t.
    let looks_like_one = [signal as usize; 32];
    let leftover = match LEFTOVER.load(Ordering::SeqCst) {
        ON_STACK => std::hint::black_box(&looks_like_one).as_ptr() as usize,
        other => other,
    };
    if found > libc::SIG_IGN {
        // SAFETY: it is a handler, of one argument or of three. Those of one don't look at the others.
        let found: extern "C" fn(c_int, usize, usize) = unsafe { std::mem::transmute(found) };
        found(signal, leftover, leftover);
    }
    assert_eq!(std::hint::black_box(looks_like_one), [signal as usize; 32]);
}

/// Stands for an address on the handler's stack.
pub const ON_STACK: usize = usize::MAX;

/// What the handlers of [`by_signal`] leave in the registers.
pub fn set_leftover(leftover: usize) {
    LEFTOVER.store(leftover, Ordering::SeqCst);
}

/// Puts such a handler in place by signal(2), over what is there.
pub fn by_signal(number: usize, signal: i32) {
    let handlers = [one_argument::<0>, one_argument::<1>, one_argument::<2>];
    let _installing = INSTALLING.lock().unwrap();
    // SAFETY: the handler is async-signal-safe.
    let found = unsafe { libc::signal(signal, handlers[number] as *const () as usize) };
    FOUND[number].store(found, Ordering::SeqCst);
}

/// How often each was called since the last time.
pub fn take_calls() -> [usize; HANDLERS] {
    CALLS.each_ref().map(|calls| calls.swap(0, Ordering::SeqCst))
}

static SEEN: AtomicUsize = AtomicUsize::new(0);

extern "C" fn three_arguments(signal: c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: every caller passes a siginfo_t.
    SEEN.store(usize::from(unsafe { (*info).si_signo } == signal), Ordering::SeqCst);
}

/// How far down the stack this thread goes while it handles the signal, what the kernel puts there included, in bytes.
pub fn stack_of_handlers(signal: i32) -> usize {
    const UNTOUCHED: u8 = 0xa5;
    let mut stack = vec![UNTOUCHED; 1 << 16];
    let alternate = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: stack.len() };
    // SAFETY: the memory is this thread's alternate stack until the one before is put back.
    unsafe {
        let mut before = std::mem::zeroed();
        assert_eq!(libc::sigaltstack(&raw const alternate, &raw mut before), 0);
        raise(signal);
        assert_eq!(libc::sigaltstack(&raw const before, std::ptr::null_mut()), 0);
    }
    stack.len() - std::hint::black_box(&stack).iter().position(|byte| *byte != UNTOUCHED).unwrap()
}

/// Installs a handler with these flags.
pub fn by_flags(signal: i32, flags: c_int, handler: extern "C" fn(c_int)) {
    // SAFETY: all zeroes are a sigaction; the handler is async-signal-safe.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        (action.sa_sigaction, action.sa_flags) = (handler as *const () as usize, flags);
        libc::sigaction(signal, &raw const action, std::ptr::null_mut());
    }
}

/// Puts a handler in place that reads its siginfo_t.
pub fn by_sigaction(signal: i32) {
    // SAFETY: all zeroes are a sigaction; the handler is async-signal-safe.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = three_arguments as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO;
        libc::sigaction(signal, &raw const action, std::ptr::null_mut());
    }
}

/// Whether that was called since the last time, with a siginfo_t of the signal.
pub fn take_seen() -> bool {
    SEEN.swap(0, Ordering::SeqCst) == 1
}
