//! Raw calls: a program under a filter of system calls whose listener this process is, as seccomp_unotify(2) has it.
#![allow(unsafe_code)]

use crate::sys;
use crate::table::LEFT_OUT;
use nix::cmsg_space;
use nix::sys::socket::{AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg, socketpair};
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use std::ffi::{CString, c_int, c_uint};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::ptr;
use syscalls::Sysno;

/// The descriptor through which the new process passes the listener on. The filter lets sendmsg(2) pass there.
const CHANNEL: RawFd = 200;

/// What a program is started with.
pub struct Launch {
    pub words: Vec<CString>,
    pub env: Vec<CString>,
    /// Its 0, 1, 2 and 3.
    pub fds: [RawFd; 4],
    /// Leads a session that has this as its controlling terminal, with 0, 1 and 2 open to it.
    pub terminal: Option<CString>,
    pub place: Place,
}

/// Where a program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It leads a session.
    Leader,
    /// As a job in the foreground of a session whose leader does what a shell does: it continues the job when that stops.
    Job,
    /// The first process of a new PID namespace, and leads a session.
    First,
}

/// A program whose calls wait for an answer.
pub struct Started {
    pub pid: u32,
    pub pidfd: OwnedFd,
    pub listener: OwnedFd,
}

/// A call that waits for an answer.
pub struct Call {
    id: u64,
    pub pid: u32,
    pub number: i64,
    pub args: [u64; 6],
}

fn step(code: u32, jump_true: u8, jump_false: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: jump_true, jf: jump_false, k }
}

/// All calls are told of but those that are left out, and the one that passes the listener on.
fn filter() -> Vec<libc::sock_filter> {
    const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    const EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
    // Where struct seccomp_data has the lower half of the first argument.
    let argument = if cfg!(target_endian = "big") { 20 } else { 16 };
    let mut steps = vec![step(LOAD, 0, 0, 0)];
    for call in Sysno::iter() {
        // panicmon's first one tells that the C library's start is over.
        if call != Sysno::rt_sigprocmask && LEFT_OUT.iter().any(|(name, _)| *name == call.name()) {
            steps.push(step(EQUAL, 0, 1, call.id() as u32));
            steps.push(step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW));
        }
    }
    steps.push(step(EQUAL, 0, 3, libc::SYS_sendmsg as u32));
    steps.push(step(LOAD, 0, 0, argument));
    steps.push(step(EQUAL, 0, 1, CHANNEL as u32));
    steps.push(step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW));
    steps.push(step(RETURN, 0, 0, libc::SECCOMP_RET_USER_NOTIF));
    steps
}

fn pointers(words: &[CString]) -> Vec<*const libc::c_char> {
    words.iter().map(|word| word.as_ptr()).chain([ptr::null()]).collect()
}

/// Starts it. All its calls from execve(2) on wait for answers.
pub fn launch(launch: &Launch) -> io::Result<Started> {
    let (here, there) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
    let (argv, envp, mut steps) = (pointers(&launch.words), pointers(&launch.env), filter());
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    let flags = libc::SIGCHLD | if launch.place == Place::First { libc::CLONE_NEWPID } else { 0 };
    // SAFETY: a fork, as by fork(2). The new process makes async-signal-safe calls only, on what lives here, and doesn't
    // come back.
    let pid = unsafe {
        let pid = clone(flags);
        if pid == 0 {
            become_it(launch, &argv, &envp, &program, there.as_raw_fd());
        }
        pid
    };
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    drop(there);
    // SAFETY: makes a new descriptor for a child that isn't reaped yet.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    assert!(pidfd >= 0, "pidfd_open: {}", io::Error::last_os_error());
    let listener = receive(&here)?;
    Ok(Started { pid: pid as u32, pidfd: sys::own(pidfd as RawFd), listener })
}

/// clone(2) without a C library's fork(3).
///
/// # Safety
/// The new process may make async-signal-safe calls only, and must not come back.
unsafe fn clone(flags: c_int) -> c_int {
    let (first, second) = if cfg!(target_arch = "s390x") { (0, flags) } else { (flags, 0) };
    // SAFETY: without CLONE_VM it is a copy of this memory and stack. The caller vouches for the rest.
    unsafe { libc::syscall(libc::SYS_clone, first, second, 0, 0, 0) as c_int }
}

/// The listener that the new process has sent, or the errno that it got for it.
fn receive(channel: &OwnedFd) -> io::Result<OwnedFd> {
    let mut errno = [0; 4];
    let mut control = cmsg_space!(RawFd);
    let mut buffers = [IoSliceMut::new(&mut errno)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let received = recvmsg::<()>(channel.as_raw_fd(), &mut buffers, Some(&mut control), flags)?;
    let fds = received.cmsgs()?.find_map(|message| match message {
        ControlMessageOwned::ScmRights(fds) => fds.first().copied(),
        _ => None,
    });
    match fds {
        Some(fd) => Ok(sys::own(fd)),
        None => Err(io::Error::from_raw_os_error(c_int::from_ne_bytes(errno))),
    }
}

/// # Safety
/// In a new process, which must be a copy of this one. The lists end with null pointers.
unsafe fn become_it(
    launch: &Launch,
    argv: &[*const libc::c_char],
    envp: &[*const libc::c_char],
    program: &libc::sock_fprog,
    channel: RawFd,
) -> ! {
    // SAFETY: async-signal-safe calls, with pointers to what lives in the function that called this.
    unsafe {
        libc::setsid();
        // Above all that they are going to be.
        let above = |fd| libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, CHANNEL + 1);
        let (fds, channel) = (launch.fds.map(above), above(channel));
        for (number, fd) in fds.iter().enumerate() {
            libc::dup2(*fd, number as RawFd);
        }
        if let Some(path) = &launch.terminal {
            let terminal = libc::open(path.as_ptr(), libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC);
            libc::ioctl(terminal, libc::TIOCSCTTY, 0);
            for number in 0..=2 {
                libc::dup2(terminal, number);
            }
        }
        libc::dup3(channel, CHANNEL, libc::O_CLOEXEC);
        let (mut none, mut default): (libc::sigset_t, libc::sigaction) = (std::mem::zeroed(), std::mem::zeroed());
        default.sa_sigaction = libc::SIG_DFL;
        libc::sigaction(libc::SIGPIPE, &raw const default, ptr::null_mut());
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if launch.place == Place::Job {
            be_job();
        }
        let (listener, errno) = listen(program);
        send(listener, errno);
        libc::execve(argv[0], argv.as_ptr(), envp.as_ptr());
        libc::_exit(99)
    }
}

/// Comes back in a new process that is the job in the foreground. This one is its shell.
///
/// # Safety
/// Async-signal-safe; this process leads a session whose terminal its 0 is.
unsafe fn be_job() {
    // SAFETY: the calls touch no memory but an int.
    unsafe {
        // Who is in the background may take the foreground with it ignored.
        libc::signal(libc::SIGTTOU, libc::SIG_IGN);
        // fork(3) takes locks, which another thread of the test may have held.
        let job = clone(libc::SIGCHLD);
        if job == 0 {
            libc::setpgid(0, 0);
            libc::tcsetpgrp(0, libc::getpid());
            libc::signal(libc::SIGTTOU, libc::SIG_DFL);
            return;
        }
        // It holds none of the pipes.
        libc::close_range(1, c_uint::MAX, 0);
        libc::setpgid(job, job);
        let mut status = 0;
        while libc::waitpid(job, &raw mut status, libc::WUNTRACED) == job && libc::WIFSTOPPED(status) {
            libc::tcsetpgrp(0, libc::getpid());
            libc::tcsetpgrp(0, job);
            libc::kill(-job, libc::SIGCONT);
        }
        if libc::WIFSIGNALED(status) {
            libc::kill(libc::getpid(), libc::WTERMSIG(status));
        }
        libc::_exit(libc::WEXITSTATUS(status))
    }
}

/// Installs the filter; its listener and an errno. Where the kernel knows it, a call that the listener has seen isn't begun
/// anew when a signal comes.
///
/// # Safety
/// It must be a valid program.
unsafe fn listen(program: &libc::sock_fprog) -> (c_int, c_int) {
    let mut failed = 0;
    for more in [libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 0] {
        let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | more;
        // SAFETY: the program lives.
        let listener =
            unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, ptr::from_ref(program)) };
        if listener >= 0 {
            return (listener as c_int, 0);
        }
        // SAFETY: this thread's errno.
        failed = unsafe { *libc::__errno_location() };
    }
    (-1, failed)
}

/// Sends the listener through the channel, without memory of the heap.
///
/// # Safety
/// Async-signal-safe.
unsafe fn send(listener: c_int, errno: c_int) {
    const SPACE: usize = 64;
    #[repr(C, align(8))]
    struct Control([u8; SPACE]);
    let mut control = Control([0; SPACE]);
    let mut bytes = errno.to_ne_bytes();
    let mut buffer = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: the message's parts live until it is sent; the control message fits.
    unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut buffer;
        message.msg_iovlen = 1;
        if listener >= 0 {
            message.msg_control = control.0.as_mut_ptr().cast();
            message.msg_controllen = libc::CMSG_SPACE(size_of::<c_int>() as u32) as _;
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(size_of::<c_int>() as u32) as _;
            libc::CMSG_DATA(header).cast::<c_int>().write_unaligned(listener);
        }
        libc::sendmsg(CHANNEL, &raw const message, 0);
    }
}

impl Started {
    /// Has the kernel run both sides on one processor, one after the other: faster, where it knows that.
    pub fn be_quick(&self) {
        const SYNC_WAKE_UP: u64 = 1;
        // SAFETY: passes numbers only.
        unsafe { libc::ioctl(self.listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS, SYNC_WAKE_UP) };
    }

    /// The next call, when poll(2) has said that there is one; none if its process has gone meanwhile.
    pub fn next(&self) -> Option<Call> {
        // SAFETY: all zeroes are one, as the kernel wants it, and it fills that in.
        let (got, call) = unsafe {
            let mut call: libc::seccomp_notif = std::mem::zeroed();
            let got = libc::ioctl(self.listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut call);
            (got, call)
        };
        let (number, args) = (i64::from(call.data.nr), call.data.args);
        (got == 0).then_some(Call { id: call.id, pid: call.pid, number, args })
    }

    /// Lets it go on, or fail with this errno.
    pub fn answer(&self, call: &Call, errno: Option<i32>) {
        let mut answer = libc::seccomp_notif_resp {
            id: call.id,
            val: 0,
            error: errno.map_or(0, |errno| -errno),
            flags: if errno.is_some() { 0 } else { libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32 },
        };
        // It fails if the process has gone.
        // SAFETY: the kernel reads the answer.
        unsafe { libc::ioctl(self.listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut answer) };
    }

    /// Its end, if that has come.
    pub fn reap(&self) -> Option<ExitStatus> {
        let mut status = 0;
        // SAFETY: writes an int.
        let pid = unsafe { libc::waitpid(self.pid as i32, &raw mut status, libc::WNOHANG) };
        (pid == self.pid as i32).then(|| ExitStatus::from_raw(status))
    }
}

/// The C string there in the memory of a process that waits for an answer.
pub fn string_at(pid: u32, address: u64) -> Option<String> {
    let mut bytes = [0; 256];
    // It may end with a page behind which there is none.
    let length = bytes.len().min(4096 - address as usize % 4096);
    let remote = [RemoteIoVec { base: address as usize, len: length }];
    let read = process_vm_readv(Pid::from_raw(pid as i32), &mut [IoSliceMut::new(&mut bytes)], &remote).ok()?;
    let string = bytes[..read].split(|byte| *byte == 0).next()?;
    Some(String::from_utf8_lossy(string).into_owned())
}

/// The name of a system call.
pub fn name_of(number: i64) -> &'static str {
    Sysno::new(number as usize).map_or("unknown", |call| call.name())
}
