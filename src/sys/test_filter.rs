//! System calls that fail in a test.

use super::raw::syscall;

/// Has a system call fail with this error number in this thread, and in what it starts from now on.
pub(crate) fn refuse(call: libc::c_long, errno: i32) {
    let step = |code: u32, jf, k| libc::sock_filter { code: code as u16, jt: 0, jf, k };
    let mut steps = [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, call as u32),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: the first call touches no memory; the second reads the program, which lives here.
    unsafe {
        syscall(libc::SYS_prctl, [libc::PR_SET_NO_NEW_PRIVS as usize, 1, 0, 0, 0]).unwrap();
        let mode = libc::SECCOMP_SET_MODE_FILTER as usize;
        syscall(libc::SYS_seccomp, [mode, 0, (&raw const program) as usize]).unwrap();
    }
}
