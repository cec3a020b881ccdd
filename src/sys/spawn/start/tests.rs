use super::*;
use crate::model::signal::SignalSet;
use crate::sys::process;
use crate::sys::raw::syscall;
use crate::sys::signals::process::ProcessSignals;

/// Has waitid(2) fail with EPERM in this thread, and in what it starts.
fn refuse_waitid() {
    let step = |code: u32, jf, k| libc::sock_filter { code: code as u16, jt: 0, jf, k };
    let mut steps = [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, libc::SYS_waitid as u32),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
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

/// Whether the block is kept when a child is dropped that hasn't been waited for: it holds the command.
fn is_kept_at_drop(refused: bool) -> bool {
    let command = Arc::new(Command::new(vec![Cow::Borrowed(c"/")], Vec::new()).unwrap());
    let in_block = Arc::clone(&command);
    // The filter is this thread's alone.
    let started = std::thread::spawn(move || {
        let source = Source::Process(ProcessSignals::take());
        let setup = Setup {
            parent: process::id(),
            stdio: [None, None, None],
            heeded: SignalSet::EMPTY,
            limits: Changed::default(),
            group: &ChildGroup::Own(None),
            hand_over: false,
            pid_variables: false,
            mask: Some(SignalSet::EMPTY),
            shared: true,
        };
        let child = spawn(in_block, &setup, &source).unwrap();
        if refused {
            refuse_waitid();
        }
        child.pid()
    });
    let pid = started.join().unwrap();
    if refused {
        // By another thread it can be waited for.
        nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(pid.as_raw()), None).unwrap();
    }
    Arc::strong_count(&command) > 1
}

#[test]
fn a_child_that_may_be_alive_keeps_its_stack() {
    assert!(!is_kept_at_drop(false), "its end was seen");
    assert!(is_kept_at_drop(true), "its end is unknown");
}
