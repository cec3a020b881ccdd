//! The system calls of the helper, by raw numbers where a C library would change something.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_long};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

/// A signal that came.
pub struct Came {
    pub signal: i32,
    pub code: i32,
    pub pid: i32,
    pub value: usize,
}

fn raw(number: c_long, args: [usize; 4]) -> c_long {
    // SAFETY: every caller in this file passes pointers to live values of the types the call expects.
    unsafe { libc::syscall(number, args[0], args[1], args[2], args[3]) }
}

pub fn block(mask: u64) {
    raw(libc::SYS_rt_sigprocmask, [libc::SIG_BLOCK as usize, (&raw const mask) as usize, 0, 8]);
}

pub fn unblock(mask: u64) {
    raw(libc::SYS_rt_sigprocmask, [libc::SIG_UNBLOCK as usize, (&raw const mask) as usize, 0, 8]);
}

pub fn ignore(signal: i32) {
    // SAFETY: no handler is installed.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

pub fn leave_to_default(signal: i32) {
    // SAFETY: no handler is installed.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

pub fn wait_for_signal() -> Came {
    let all = u64::MAX;
    // SAFETY: all zeroes are a siginfo_t.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    while raw(libc::SYS_rt_sigtimedwait, [(&raw const all) as usize, (&raw mut info) as usize, 0, 8]) < 0 {}
    // SAFETY: the fields are plain numbers, whichever the code has.
    let (pid, value) = unsafe { (info.si_pid(), info.si_value().sival_ptr as usize) };
    Came {
        signal: info.si_signo,
        code: info.si_code,
        pid,
        value: if info.si_code == libc::SI_QUEUE { value } else { 0 },
    }
}

/// Whether there was room; any other failure ends this process.
pub fn queue(pid: i32, signal: i32, value: usize) -> bool {
    let value = libc::sigval { sival_ptr: value as *mut libc::c_void };
    // SAFETY: passes numbers only.
    let result = unsafe { libc::sigqueue(pid, signal, value) };
    let room = result == 0;
    assert!(room || std::io::Error::last_os_error().raw_os_error() == Some(libc::EAGAIN));
    room
}

pub fn die(signal: i32) -> ! {
    limit(libc::RLIMIT_CORE, 0);
    let action = [libc::SIG_DFL, 0, 0, 0];
    let none = 0u64;
    raw(libc::SYS_rt_sigaction, [signal as usize, action.as_ptr() as usize, 0, 8]);
    raw(libc::SYS_rt_sigprocmask, [libc::SIG_SETMASK as usize, (&raw const none) as usize, 0, 8]);
    raw(libc::SYS_kill, [std::process::id() as usize, signal as usize, 0, 0]);
    loop {
        pause();
    }
}

/// Ends this thread alone.
pub fn end_thread() -> ! {
    loop {
        // SAFETY: nothing of this thread is used by another.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
    }
}

pub fn pause() {
    raw(libc::SYS_ppoll, [0; 4]);
}

pub fn stop() {
    raw(libc::SYS_kill, [std::process::id() as usize, libc::SIGSTOP as usize, 0, 0]);
}

pub fn give_way() {
    raw(libc::SYS_sched_yield, [0; 4]);
}

pub fn set_name(name: &CStr) {
    raw(libc::SYS_prctl, [libc::PR_SET_NAME as usize, name.as_ptr() as usize, 0, 0]);
}

pub fn close(fd: i32) {
    raw(libc::SYS_close, [fd as usize, 0, 0, 0]);
}

pub fn open_at(path: &CStr, fd: i32, offset: i64) {
    // SAFETY: the path is a C string; descriptors of this process are its own affair.
    unsafe {
        let opened = libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_NONBLOCK);
        libc::lseek(opened, offset, libc::SEEK_SET);
        if opened != fd {
            libc::dup2(opened, fd);
            libc::close(opened);
        }
    }
}

pub fn limit(resource: impl TryInto<i32>, value: u64) {
    let limits = libc::rlimit { rlim_cur: value, rlim_max: value };
    let resource = resource.try_into().unwrap_or(-1);
    raw(libc::SYS_prlimit64, [0, resource as usize, (&raw const limits) as usize, 0]);
}

/// A step of a filter; a jump skips `jump_true` steps if the comparison is true, and `jump_false` if not.
fn step(code: u32, jump_true: u8, jump_false: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: jump_true, jf: jump_false, k }
}

const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const COMPARE: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const AND: u32 = libc::BPF_ALU | libc::BPF_AND | libc::BPF_K;
const RETURN: u32 = libc::BPF_RET | libc::BPF_K;

/// Has a filter of system calls in this process, and in all that it becomes or starts.
fn filter(steps: &mut [libc::sock_filter]) {
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // Its fifth argument must be zero, too.
    // SAFETY: the call touches no memory.
    unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    raw(libc::SYS_seccomp, [libc::SECCOMP_SET_MODE_FILTER as usize, 0, (&raw const program) as usize, 0]);
}

/// Has this system call end the process that makes it, by SIGSYS.
pub fn end_at(number: i32) {
    filter(&mut [
        step(LOAD, 0, 0, 0),
        step(COMPARE, 0, 1, number as u32),
        step(RETURN, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]);
}

/// Has this system call fail with this error number.
pub fn refuse(number: i32, errno: i32) {
    filter(&mut [
        step(LOAD, 0, 0, 0),
        step(COMPARE, 0, 1, number as u32),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]);
}

/// Where struct seccomp_data has the lower half of an argument.
const fn argument(number: u32) -> u32 {
    16 + 8 * number + if cfg!(target_endian = "big") { 4 } else { 0 }
}

/// Has a system call fail with this error number if these bits of an argument have this value.
fn refuse_if(number: c_long, argument: u32, (bits, value): (i32, i32), errno: i32) {
    filter(&mut [
        step(LOAD, 0, 0, 0),
        step(COMPARE, 0, 4, number as u32),
        step(LOAD, 0, 0, argument),
        step(AND, 0, 0, bits as u32),
        step(COMPARE, 0, 1, value as u32),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]);
}

/// Has the open of /dev/tty fail, which alone has this flag.
pub fn refuse_terminal(errno: i32) {
    refuse_if(libc::SYS_openat, argument(2), (libc::O_NOCTTY, libc::O_NOCTTY), errno);
}

/// Has this request of ioctl(2) fail.
pub fn refuse_ioctl(request: i32, errno: i32) {
    refuse_if(libc::SYS_ioctl, argument(1), (-1, request), errno);
}

/// Has clone(2) fail where qemu-user's does: in shared memory, for anything but a thread or vfork(2), and with shared
/// descriptors, but in shared memory.
pub fn refuse_shared_memory() {
    let kinds = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_THREAD;
    // The flags are the second argument on s390x.
    let flags = argument(if cfg!(target_arch = "s390x") { 1 } else { 0 });
    refuse_if(libc::SYS_clone, flags, (kinds, libc::CLONE_VM), libc::EINVAL);
    refuse_if(libc::SYS_clone, flags, (libc::CLONE_VM | libc::CLONE_FILES, libc::CLONE_FILES), libc::EINVAL);
}

/// Has prctl(PR_SET_CHILD_SUBREAPER) fail as in qemu-user 7.
pub fn refuse_subreaper() {
    refuse_if(libc::SYS_prctl, argument(0), (-1, libc::PR_SET_CHILD_SUBREAPER), libc::EINVAL);
}

/// By setresuid(2) or setresgid(2).
pub fn set_effective(call: c_long, id: i32) {
    raw(call, [usize::MAX, id as usize, id as usize, 0]);
}

pub fn umask(mask: u32) {
    raw(libc::SYS_umask, [mask as usize, 0, 0, 0]);
}

/// Goes to the process group of its parent.
pub fn leave_group() {
    // SAFETY: these calls touch no memory.
    unsafe { libc::setpgid(0, libc::getpgid(libc::getppid())) };
}

pub fn chdir(path: &CStr) {
    raw(libc::SYS_chdir, [path.as_ptr() as usize, 0, 0, 0]);
}

/// Whether it was written.
pub fn write(fd: i32, bytes: &[u8]) -> bool {
    raw(libc::SYS_write, [fd as usize, bytes.as_ptr() as usize, bytes.len(), 0]) >= 0
}

pub fn read_to_end(fd: i32) {
    let mut buffer = [0u8; 16];
    while raw(libc::SYS_read, [fd as usize, buffer.as_mut_ptr() as usize, buffer.len(), 0]) > 0 {}
}

pub fn pipe() -> (i32, i32) {
    let mut fds = [0; 2];
    // SAFETY: writes two numbers.
    unsafe { libc::pipe(fds.as_mut_ptr()) };
    (fds[0], fds[1])
}

/// Runs it in a child that isn't waited for, and returns its pid.
pub fn fork(child: impl FnOnce() -> i32) -> i32 {
    // SAFETY: this process has one thread, so its child may do anything; it ends without coming back.
    unsafe {
        let pid = libc::fork();
        if pid == 0 {
            libc::_exit(child());
        }
        pid
    }
}

/// Runs it in a child and waits for that.
pub fn in_child(child: impl FnOnce() -> i32) {
    let pid = fork(child);
    // SAFETY: no status is asked for.
    unsafe { libc::waitpid(pid, ptr::null_mut(), 0) };
}

/// Returns only if it fails.
pub fn exec(words: &[&'static CStr], env: &[&'static CStr]) {
    let list =
        |words: &[&'static CStr]| words.iter().map(|word| word.as_ptr()).chain([ptr::null()]).collect::<Vec<_>>();
    let (argv, envp) = (list(words), list(env));
    if let Some(file) = words.first() {
        raw(libc::SYS_execve, [file.as_ptr() as usize, argv.as_ptr() as usize, envp.as_ptr() as usize, 0]);
    }
}

pub fn enlarge_pipe(fd: i32, bytes: usize) {
    raw(libc::SYS_fcntl, [fd as usize, libc::F_SETPIPE_SZ as usize, bytes, 0]);
}

/// What is written to 1 goes to the end of this file.
pub fn append_to(path: &str) {
    use std::os::fd::AsRawFd;
    if let Ok(file) = std::fs::File::options().append(true).create(true).open(path) {
        raw(libc::SYS_dup3, [file.as_raw_fd() as usize, 1, 0, 0]);
    }
}

extern "C" fn say_handled(_: i32) {
    write(1, b"handled\n");
}

/// Has a handler say so when the signal comes.
pub fn say_when(signal: i32) {
    // SAFETY: the handler makes one system call.
    unsafe { libc::signal(signal, say_handled as *const () as usize) };
}

/// Mounts a FUSE file system whose root is a file, served through that descriptor.
pub fn mount_fuse(target: &Path, device: i32) -> bool {
    let target = CString::new(target.as_os_str().as_bytes()).unwrap_or_default();
    let options = CString::new(format!("fd={device},rootmode=100644,user_id=0,group_id=0")).unwrap_or_default();
    // SAFETY: all are C strings.
    unsafe { libc::mount(c"probe".as_ptr(), target.as_ptr(), c"fuse".as_ptr(), 0, options.as_ptr().cast()) == 0 }
}

/// Takes the mount away; what is open stays.
pub fn detach(target: &Path) {
    let target = CString::new(target.as_os_str().as_bytes()).unwrap_or_default();
    // SAFETY: a C string.
    unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
}
