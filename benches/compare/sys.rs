//! The system calls the benchmark makes, and all of its `unsafe`.
#![allow(unsafe_code)]

use crate::Result;
use std::ffi::{CStr, CString, c_char, c_int};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::time::Duration;

/// The monotonic clock, in nanoseconds: a number, because the child's times are compared with ours.
pub fn clock() -> u64 {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the call fills the timespec; it can't fail for this clock.
    let time = unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, time.as_mut_ptr());
        time.assume_init()
    };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Closes what this process inherited, except stdin, stdout and stderr, in all future children: cargo leaves some open.
pub fn keep_descriptors() -> io::Result<()> {
    // SAFETY: sets a flag, which nothing here depends on.
    check(unsafe { libc::close_range(3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as c_int) })
}

/// Allows this process and all it starts as many descriptors as the machine lets them have.
pub fn allow_descriptors() -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both point to a limit.
    unsafe {
        check(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit))?;
        limit.rlim_cur = limit.rlim_max;
        check(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit))
    }
}

pub fn make_fifo(path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: reads a C string.
    check(unsafe { libc::mkfifo(path.as_ptr(), 0o600) })
}

/// Sends a signal to a process that another one started.
pub fn signal(pid: i32, signal: c_int) -> io::Result<()> {
    // SAFETY: touches no memory.
    check(unsafe { libc::kill(pid, signal) })
}

/// Descriptors 0, 1 and 2 of a new process.
#[derive(Clone, Copy)]
pub struct Stdio<'a>(pub BorrowedFd<'a>, pub BorrowedFd<'a>, pub BorrowedFd<'a>);

/// A process that was started here. Dropped before it has been waited for, it is killed.
pub struct Process {
    pid: libc::pid_t,
    is_waited_for: bool,
}

/// How a process ended, and what it and the children it waited for used.
pub struct Ended {
    /// Its exit code, if it had one.
    pub code: Option<c_int>,
    pub minor_faults: i64,
}

impl Process {
    /// Starts a program with all signals at their defaults: Rust's start-up ignores SIGPIPE, and the program must not
    /// inherit that.
    pub fn start(words: &[CString], environment: &[CString], stdio: Stdio<'_>) -> Result<Process> {
        let arguments = pointers(words);
        let environment = pointers(environment);
        let mut pid = 0;
        // SAFETY: everything pointed to lives until the call returns, the lists end with a null pointer, and what is
        // initialised is destroyed.
        let error = unsafe {
            let mut set = MaybeUninit::uninit();
            libc::sigemptyset(set.as_mut_ptr());
            let mut attributes = MaybeUninit::uninit();
            libc::posix_spawnattr_init(attributes.as_mut_ptr());
            libc::posix_spawnattr_setsigmask(attributes.as_mut_ptr(), set.as_ptr());
            libc::sigaddset(set.as_mut_ptr(), libc::SIGPIPE);
            libc::posix_spawnattr_setsigdefault(attributes.as_mut_ptr(), set.as_ptr());
            let flags = libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF;
            libc::posix_spawnattr_setflags(attributes.as_mut_ptr(), flags as _);
            let mut actions = MaybeUninit::uninit();
            libc::posix_spawn_file_actions_init(actions.as_mut_ptr());
            for (target, descriptor) in [stdio.0, stdio.1, stdio.2].iter().enumerate() {
                libc::posix_spawn_file_actions_adddup2(actions.as_mut_ptr(), descriptor.as_raw_fd(), target as c_int);
            }
            let error = libc::posix_spawn(
                &raw mut pid,
                arguments[0],
                actions.as_ptr(),
                attributes.as_ptr(),
                arguments.as_ptr().cast(),
                environment.as_ptr().cast(),
            );
            libc::posix_spawn_file_actions_destroy(actions.as_mut_ptr());
            libc::posix_spawnattr_destroy(attributes.as_mut_ptr());
            error
        };
        match error {
            0 => Ok(Process { pid, is_waited_for: false }),
            errno => Err(format!("can't start {:?}: {}", words[0], io::Error::from_raw_os_error(errno)).into()),
        }
    }

    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Sends a signal.
    pub fn signal(&self, signal: c_int) -> io::Result<()> {
        // SAFETY: touches no memory; the number is ours until we have waited.
        check(unsafe { libc::kill(self.pid, signal) })
    }

    /// Whether it ends within this time.
    pub fn ends_within(&self, time: Duration) -> io::Result<bool> {
        // SAFETY: the call touches no memory; the descriptor it returns is nobody else's.
        let descriptor = unsafe {
            let descriptor = libc::syscall(libc::SYS_pidfd_open, self.pid, 0) as c_int;
            check(descriptor)?;
            OwnedFd::from_raw_fd(descriptor)
        };
        is_readable(descriptor.as_fd(), time)
    }

    /// Waits until it has ended.
    pub fn wait(mut self) -> io::Result<Ended> {
        self.reap()
    }

    fn reap(&mut self) -> io::Result<Ended> {
        let mut status = 0;
        let mut usage = MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: both are written by the call; a usage of zeroes is one, too.
        let (result, usage) = unsafe {
            let result = libc::wait4(self.pid, &raw mut status, 0, usage.as_mut_ptr());
            (result, usage.assume_init())
        };
        check(result)?;
        self.is_waited_for = true;
        let code = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
        Ok(Ended { code, minor_faults: usage.ru_minflt })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_waited_for {
            // It has failed already: another error adds nothing.
            let _ = self.signal(libc::SIGKILL);
            let _ = self.reap();
        }
    }
}

fn pointers(words: &[CString]) -> Vec<*const c_char> {
    words.iter().map(|word| word.as_ptr()).chain([ptr::null()]).collect()
}

/// Whether something can be read within this time.
pub fn is_readable(descriptor: BorrowedFd<'_>, within: Duration) -> io::Result<bool> {
    let mut poll = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: points to one pollfd.
    let ready = unsafe { libc::poll(&raw mut poll, 1, within.as_millis() as c_int) };
    check(ready)?;
    Ok(ready > 0)
}

/// Processors that a process may use.
#[derive(Clone, Copy)]
pub struct Processors(libc::cpu_set_t);

impl Processors {
    /// Those this process may use now.
    pub fn allowed() -> io::Result<Processors> {
        let mut set = MaybeUninit::zeroed();
        // SAFETY: the call writes a set of this size; one of zeroes is valid, too.
        unsafe {
            check(libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), set.as_mut_ptr()))?;
            Ok(Processors(set.assume_init()))
        }
    }

    /// The last of them alone: the first one gets most interrupts.
    pub fn last(&self) -> Processors {
        // SAFETY: numbers stay below the size of a set; a set of zeroes is the empty one.
        unsafe {
            let mut last: libc::cpu_set_t = MaybeUninit::zeroed().assume_init();
            let mut numbers = (0..libc::CPU_SETSIZE as usize).rev();
            if let Some(number) = numbers.find(|number| libc::CPU_ISSET(*number, &self.0)) {
                libc::CPU_SET(number, &mut last);
            }
            Processors(last)
        }
    }

    /// Confines this process, and all it starts from now on, to them.
    pub fn use_only(&self) -> io::Result<()> {
        // SAFETY: reads a set of this size.
        check(unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const self.0) })
    }
}

/// Runs `start`; the first process it starts is PID 1 of a namespace of its own.
pub fn in_new_pid_namespace<T>(start: impl FnOnce() -> Result<T>) -> Result<T> {
    let ours = File::open("/proc/self/ns/pid")?;
    // SAFETY: touches no memory; it concerns future children only.
    check(unsafe { libc::unshare(libc::CLONE_NEWPID) })?;
    let started = start();
    // SAFETY: as above.
    check(unsafe { libc::setns(ours.as_fd().as_raw_fd(), libc::CLONE_NEWPID) })?;
    started
}

/// The version of the kernel.
pub fn kernel_release() -> String {
    let mut name = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: the call fills the struct with C strings; zeroes are empty ones.
    unsafe {
        libc::uname(name.as_mut_ptr());
        CStr::from_ptr(name.assume_init_ref().release.as_ptr()).to_string_lossy().into_owned()
    }
}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
