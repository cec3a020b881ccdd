//! Which errno a kind of call can give in life, and which calls are left alone.

use libc::*;

/// Calls that can't fail in life, or whose failure would be a lie about what has happened, with the reason.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("rt_sigprocmask", "fails only for wrong arguments"),
    ("rt_sigaction", "fails only for wrong arguments"),
    ("rt_sigpending", "fails only for wrong arguments"),
    ("rt_sigreturn", "doesn't return"),
    ("sigaltstack", "fails only for wrong arguments"),
    ("getpid", "can't fail"),
    ("getppid", "can't fail"),
    ("gettid", "can't fail"),
    ("getuid", "can't fail"),
    ("geteuid", "can't fail"),
    ("getgid", "can't fail"),
    ("getegid", "can't fail"),
    ("getpgid", "fails only if the process is gone"),
    ("getpgrp", "can't fail"),
    ("getsid", "fails only if the process is gone"),
    ("getresuid", "fails only for wrong arguments"),
    ("getresgid", "fails only for wrong arguments"),
    ("getgroups", "fails only for wrong arguments"),
    ("capget", "fails only for wrong arguments"),
    ("getrusage", "fails only for wrong arguments"),
    ("umask", "can't fail"),
    ("uname", "fails only for wrong arguments"),
    ("exit", "doesn't return"),
    ("exit_group", "doesn't return"),
    ("close", "the kernel has closed it even where it reports an error; a listener can't do both"),
    ("brk", "tells a failure by its value, not by an errno; malloc(3) then asks mmap(2), which is tried"),
    ("lseek", "fails only for a descriptor that isn't a file"),
    ("sched_yield", "can't fail"),
    ("set_tid_address", "can't fail"),
    ("set_robust_list", "the C library's"),
    ("rseq", "the C library's"),
    ("arch_prctl", "the C library's"),
    ("madvise", "is advice"),
    ("clock_gettime", "fails only for wrong arguments"),
    ("restart_syscall", "is the kernel's"),
];

/// Kinds of calls that are seen, but can't fail in life, with the reason; the end of a kind's name may be left out.
pub const CANT_FAIL: &[(&str, &str)] = &[
    ("fcntl F_GETFD", "it asks whether the descriptor is open, and is answered no"),
    ("fcntl F_GETFL", "the descriptor is open"),
    ("fcntl F_SETFL", "the descriptor is open"),
    ("fcntl F_SETFD", "the descriptor is open"),
    ("waitid at once", "no child that is there is waited for in vain; where it waits, it can be interrupted"),
    ("prctl", "every kernel that runs this knows the options"),
    ("prlimit64 get", "every kernel that runs this knows the limits"),
    ("newfstatat pipe", "it asks no file system"),
    ("newfstatat tty", "it asks no file system"),
    ("newfstatat null", "it asks no file system"),
    ("newfstatat stdout", "it asks no file system"),
    ("newfstatat stderr", "it asks no file system"),
    // Another C library's way.
    ("fstat pipe", "it asks no file system"),
    ("fstat tty", "it asks no file system"),
    ("fstat null", "it asks no file system"),
    ("fstat stdout", "it asks no file system"),
    ("fstat stderr", "it asks no file system"),
    ("ioctl FIONREAD", "every pipe knows it"),
    ("shutdown", "it is a socket of its own, and connected"),
    ("write eventfd", "it takes no memory, and the number is far from the highest"),
    ("read eventfd", "it is asked when it is ready, or says that it isn't"),
    ("setsid", "a new child leads no group"),
    ("kill self", "a process may always signal itself"),
    ("kill CONT", "a process may always send it to another one of its session"),
];

/// The errnos that a call of this kind (`main` or `child`, the call, and what it is about) can give.
pub fn errnos(kind: &str) -> &'static [i32] {
    known(kind).unwrap_or(&[])
}

/// Whether all calls of this kind from some time on may fail so.
pub fn may_last(kind: &str, errno: i32) -> bool {
    // A command that gets no signal any more runs for ever, and it is told.
    let sends = ["kill", "signal", "sigqueue"].iter().any(|call| kind.contains(call)) && !kind.contains("signalfd");
    // The others pass by themselves: that there is a signal, no room, or somebody else at work.
    !sends && ![EINTR, EAGAIN, EBUSY, ESRCH].contains(&errno)
}

/// Whether either list has it.
pub fn is_known(kind: &str) -> bool {
    known(kind).is_some()
}

fn known(kind: &str) -> Option<&'static [i32]> {
    let (who, what) = kind.split_once(' ')?;
    if CANT_FAIL.iter().any(|(known, _)| what.starts_with(known)) {
        return Some(&[]);
    }
    let (call, about) = what.split_once(' ').unwrap_or((what, ""));
    Some(match (call, about) {
        ("openat" | "open", "/dev/tty") => &[EMFILE, ENFILE, ENOMEM, ENOENT, EACCES, EPERM, ENODEV, EIO],
        ("openat" | "open", "/dev/null") => &[EMFILE, ENFILE, ENOMEM, ENOENT, EACCES, ENODEV],
        ("openat" | "open", "proc") => &[EMFILE, ENFILE, ENOMEM, ENOENT, EACCES],
        ("openat" | "open", _) => &[EMFILE, ENFILE, ENOMEM, ENOENT, EACCES, EIO, ELOOP],
        ("read", "proc") => &[ENOMEM, ESRCH, EIO],
        ("read" | "pread64", "file") => &[EIO, EINTR],
        ("read", "tty") => &[EIO, EINTR],
        ("read", _) => &[EINTR],
        ("write" | "writev", "file") => &[ENOSPC, EIO, EDQUOT, EFBIG],
        ("write" | "writev", "tty") => &[EIO, EINTR, EAGAIN],
        // A pipe takes memory for what is written.
        ("write" | "writev", _) => &[EINTR, EPIPE, EAGAIN, ENOMEM],
        ("pwritev2", _) => &[EAGAIN, EINTR, EPIPE, EOPNOTSUPP, ENOSYS, EINVAL, EPERM],
        ("execve" | "execveat", _) => &[
            E2BIG, EACCES, EAGAIN, EINVAL, EIO, ELOOP, EMFILE, ENFILE, ENOENT, ENOEXEC, ENOMEM, ENOTDIR, EPERM,
            ETXTBSY, EISDIR, ELIBBAD,
        ],
        ("clone", _) => &[EAGAIN, ENOMEM, EINVAL, EPERM],
        ("clone3", _) => &[EAGAIN, ENOMEM, ENOSYS, EPERM],
        ("vfork" | "fork", _) => &[EAGAIN, ENOMEM],
        ("chdir", _) => &[EACCES, ENOENT, ENOMEM, EIO],
        ("close_range", _) => &[ENOSYS, EPERM, EMFILE, ENOMEM],
        ("signalfd4", _) => &[EMFILE, ENFILE, ENOMEM, ENODEV],
        ("eventfd2", _) => &[EMFILE, ENFILE, ENOMEM, ENODEV],
        ("memfd_create", _) => &[EMFILE, ENFILE, ENOMEM, ENOSYS],
        ("pidfd_open", _) => &[EMFILE, ENFILE, ENOMEM, ENODEV, ENOSYS, EPERM],
        ("pipe2", _) => &[EMFILE, ENFILE],
        ("socket", _) => &[EMFILE, ENFILE, ENOBUFS, ENOMEM, EAFNOSUPPORT, EACCES],
        ("socketpair", _) => &[EMFILE, ENFILE, ENOBUFS, ENOMEM],
        ("bind", _) => &[EADDRINUSE, EACCES, ENOMEM, ENOSPC, EROFS],
        ("connect", _) => &[ECONNREFUSED, EACCES, EAGAIN, ENOENT, EPERM],
        ("sendmsg" | "sendto", _) => {
            &[EAGAIN, ENOBUFS, ENOMEM, ECONNREFUSED, EMSGSIZE, ETOOMANYREFS, EPERM, EPIPE, EINTR]
        }
        ("recvmsg" | "recvfrom", _) => &[EINTR, ENOMEM, EAGAIN],
        ("setsockopt", _) => &[ENOPROTOOPT, EPERM, ENOMEM],
        ("getsockopt" | "getsockname" | "getpeername", _) => &[ENOBUFS],
        ("ppoll" | "poll", _) => &[EINTR, ENOMEM],
        ("dup3" | "dup2", _) => &[EBUSY, EMFILE],
        ("dup", _) | ("fcntl", "F_DUPFD_CLOEXEC") => &[EMFILE, ENOMEM],
        ("fcntl", "F_ADD_SEALS") => &[EINVAL, EPERM],
        ("flock", _) => &[EINTR, ENOLCK, EWOULDBLOCK],
        ("renameat" | "renameat2", _) => &[EACCES, ENOENT, ENOSPC, EROFS, EBUSY],
        ("ftruncate", _) => &[EIO, EINTR, EPERM],
        ("pwrite64", _) => &[ENOSPC, EIO, EDQUOT, EFBIG],
        ("epoll_create1", _) => &[EMFILE, ENFILE, ENOMEM],
        ("epoll_ctl", _) => &[ENOMEM, ENOSPC],
        ("epoll_wait" | "epoll_pwait" | "epoll_pwait2", _) => &[EINTR],
        ("fcntl", "F_SETPIPE_SZ") => &[EPERM, ENOMEM, EBUSY],
        ("ioctl", "TCGETS tty") => &[EIO],
        (
            "ioctl",
            "TCGETS pipe" | "TCGETS file" | "TCGETS null" | "TCGETS stdout" | "TCGETS stderr" | "TCGETS socket",
        ) => &[ENOTTY, EINVAL],
        ("ioctl", "TIOCSPGRP" | "TIOCSPGRP tty") => &[EIO, EPERM, ESRCH, ENOTTY, EINTR],
        ("ioctl", "TIOCSCTTY" | "TIOCSCTTY tty") => &[EIO, EPERM],
        ("ioctl", _) => &[EIO, ENOTTY],
        ("setpgid", _) if who == "main" => &[EACCES, ESRCH],
        ("setpgid", _) => &[EPERM],
        ("setresuid" | "setuid", _) => &[EAGAIN, EINVAL, EPERM],
        ("setresgid" | "setgid", _) => &[EINVAL, EPERM],
        ("setgroups", _) => &[EINVAL, EPERM, ENOMEM],
        // Without a value a signal takes no room.
        ("kill" | "tgkill" | "tkill" | "pidfd_send_signal", _) => &[EPERM],
        ("rt_sigqueueinfo" | "rt_tgsigqueueinfo", _) => &[EAGAIN, EPERM, ENOMEM],
        ("rt_sigtimedwait", _) => &[EAGAIN, EINTR],
        ("waitid" | "wait4", _) => &[EINTR],
        ("mmap", _) => &[ENOMEM, EAGAIN],
        ("mprotect" | "mremap" | "munmap", _) => &[ENOMEM],
        ("prlimit64", "set") => &[EPERM],
        // CLONE_FILES.
        ("unshare", _) => &[EMFILE, ENOMEM, EPERM, ENOSYS],
        ("getrandom", _) => &[ENOSYS, EPERM],
        ("newfstatat" | "statx" | "fstat" | "stat" | "lstat", "path") => &[ENOENT, EACCES, ENOMEM, EIO],
        ("newfstatat" | "fstat", "file" | "proc") => &[EIO, ENOMEM],
        ("statx", _) => &[EIO, ENOMEM, ENOSYS, EPERM],
        ("getdents64", _) => &[ENOENT, EIO],
        ("readlink" | "readlinkat", _) => &[ENOENT, EACCES, ENOMEM],
        ("access" | "faccessat" | "faccessat2", _) => &[ENOENT, EACCES, EIO],
        ("getcwd", _) => &[ENOENT, ENOMEM],
        ("unlink" | "unlinkat" | "rmdir", _) => &[EACCES, ENOENT, EROFS, EBUSY],
        ("mkdir" | "mkdirat", _) => &[EACCES, ENOSPC, EROFS, EEXIST],
        ("chmod" | "fchmod" | "fchmodat" | "chown" | "fchown" | "fchownat", _) => &[EPERM, EROFS, EIO],
        ("clock_nanosleep", _) => &[EINTR],
        ("inotify_init1", _) => &[EMFILE, ENFILE, ENOMEM],
        ("inotify_add_watch", _) => &[ENOSPC, ENOMEM, EACCES],
        ("mount" | "umount2", _) => &[EPERM, EACCES, EBUSY],
        ("futex", _) => &[],
        _ => return None,
    })
}
